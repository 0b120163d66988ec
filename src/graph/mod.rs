//! Algorithms over directed acyclic graphs of anything: order, cycles, what waits on what. It knows no resources.
//!
//! Nodes are indices `0..len` of the caller's own vector, so that no id is hashed or cloned.

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::HashSet;

/// A dependency graph over `0..len`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dag {
    dependencies: Vec<Vec<usize>>,
    dependants: Vec<Vec<usize>>,
}

impl Dag {
    /// A graph of `len` nodes without edges.
    pub fn new(len: usize) -> Self {
        Dag { dependencies: vec![Vec::new(); len], dependants: vec![Vec::new(); len] }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.dependencies.len()
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.dependencies.is_empty()
    }

    /// Says that `node` needs `dependency`. Saying it twice, or of itself, changes nothing.
    pub fn need(&mut self, node: usize, dependency: usize) {
        if node != dependency && !self.dependencies[node].contains(&dependency) {
            self.dependencies[node].push(dependency);
            self.dependants[dependency].push(node);
        }
    }

    /// What a node needs.
    pub fn dependencies(&self, node: usize) -> &[usize] {
        &self.dependencies[node]
    }

    /// What needs a node.
    pub fn dependants(&self, node: usize) -> &[usize] {
        &self.dependants[node]
    }

    /// Everything that depends on a node, directly or by way of others.
    pub fn all_dependants(&self, node: usize) -> HashSet<usize> {
        let mut found = HashSet::new();
        let mut stack = self.dependants(node).to_vec();
        while let Some(user) = stack.pop() {
            if found.insert(user) {
                stack.extend(self.dependants(user));
            }
        }
        found
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.dependencies.iter().map(Vec::len).sum()
    }

    /// The same nodes with every edge turned around, for destroying.
    pub fn reversed(&self) -> Dag {
        Dag { dependencies: self.dependants.clone(), dependants: self.dependencies.clone() }
    }

    /// An order in which everything comes after what it needs, stable by index among equals.
    ///
    /// # Errors
    /// A cycle: each node needs the next, and the last needs the first.
    pub fn order(&self) -> Result<Vec<usize>, Vec<usize>> {
        let mut waiting: Vec<usize> = self.dependencies.iter().map(Vec::len).collect();
        let mut ready: std::collections::BinaryHeap<std::cmp::Reverse<usize>> =
            (0..self.len()).filter(|&node| waiting[node] == 0).map(std::cmp::Reverse).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(std::cmp::Reverse(node)) = ready.pop() {
            order.push(node);
            for &dependant in &self.dependants[node] {
                waiting[dependant] -= 1;
                if waiting[dependant] == 0 {
                    ready.push(std::cmp::Reverse(dependant));
                }
            }
        }
        if order.len() == self.len() { Ok(order) } else { Err(self.cycle()) }
    }

    /// One cycle of a graph that has one.
    fn cycle(&self) -> Vec<usize> {
        let mut graph = DiGraph::<(), ()>::new();
        (0..self.len()).for_each(|_| {
            graph.add_node(());
        });
        for (node, dependencies) in self.dependencies.iter().enumerate() {
            for &dependency in dependencies {
                graph.add_edge(NodeIndex::new(node), NodeIndex::new(dependency), ());
            }
        }
        let tangle = tarjan_scc(&graph).into_iter().find(|component| component.len() > 1).unwrap_or_default();
        let within: std::collections::HashSet<usize> = tangle.iter().map(|node| node.index()).collect();
        // Inside a strongly connected component every walk comes back to where it has been.
        let Some(&start) = within.iter().min() else { return Vec::new() };
        let mut path = vec![start];
        loop {
            let last = path[path.len() - 1];
            let Some(&next) = self.dependencies[last].iter().find(|next| within.contains(next)) else {
                return path;
            };
            if let Some(at) = path.iter().position(|&seen| seen == next) {
                return path.split_off(at);
            }
            path.push(next);
        }
    }

    /// Every edge `(node, dependency)` that no longer path implies.
    pub fn reduced_edges(&self) -> Vec<(usize, usize)> {
        let Ok(order) = self.order() else { return Vec::new() };
        let mut rank = vec![0; self.len()];
        order.iter().enumerate().for_each(|(at, &node)| rank[node] = at);
        let mut edges = Vec::new();
        let mut seen = vec![usize::MAX; self.len()];
        for node in 0..self.len() {
            // Nearest first: whatever a nearer dependency reaches need not be drawn.
            let mut dependencies = self.dependencies[node].clone();
            dependencies.sort_by_key(|&d| std::cmp::Reverse(rank[d]));
            for dependency in dependencies {
                if seen[dependency] == node {
                    continue;
                }
                edges.push((node, dependency));
                let mut stack = vec![dependency];
                while let Some(at) = stack.pop() {
                    if seen[at] != node {
                        seen[at] = node;
                        stack.extend(&self.dependencies[at]);
                    }
                }
            }
        }
        edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dag(len: usize, edges: &[(usize, usize)]) -> Dag {
        let mut dag = Dag::new(len);
        edges.iter().for_each(|&(node, dependency)| dag.need(node, dependency));
        dag
    }

    #[test]
    fn a_cycle_is_told_as_a_path() {
        let cycle = dag(5, &[(0, 1), (1, 2), (2, 3), (3, 1), (4, 0)]).order().unwrap_err();
        assert_eq!(cycle.len(), 3);
        assert!(cycle.iter().all(|node| [1, 2, 3].contains(node)));
    }

    #[test]
    fn implied_edges_are_left_out() {
        let mut edges = dag(3, &[(2, 1), (1, 0), (2, 0)]).reduced_edges();
        edges.sort_unstable();
        assert_eq!(edges, [(1, 0), (2, 1)]);
    }

    proptest! {
        #[test]
        fn order_respects_every_edge(edges in prop::collection::vec((0usize..30, 0usize..30), 0..80)) {
            let mut dag = Dag::new(30);
            for (a, b) in edges {
                dag.need(a.max(b), a.min(b));
            }
            let order = dag.order().unwrap();
            let rank: Vec<usize> = {
                let mut rank = vec![0; 30];
                order.iter().enumerate().for_each(|(at, &node)| rank[node] = at);
                rank
            };
            for node in 0..30 {
                for &dependency in dag.dependencies(node) {
                    prop_assert!(rank[dependency] < rank[node]);
                }
            }
        }
    }
}
