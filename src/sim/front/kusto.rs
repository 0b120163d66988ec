//! As much of Kusto's language as questions to Resource Graph are written in here.
//!
//! A table, then `where`, `extend`, `project`, `order by` and `take`, each after a `|`. What is beyond that is refused as
//! Resource Graph refuses a query that it cannot parse: a question that only looks right must not pass here.

use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// A query, parsed.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) table: String,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Where(Expression),
    Extend(Vec<(String, Expression)>),
    Project(Vec<(String, Expression)>),
    Order(Vec<(Expression, bool)>),
    Take(usize),
}

#[derive(Debug)]
enum Expression {
    Literal(Value),
    Path(Vec<String>),
    Call(String, Vec<Expression>),
    Compare(Box<Expression>, String, Box<Expression>),
    In(Box<Expression>, bool, Vec<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Number(f64),
    Sign(String),
}

impl Query {
    /// Parses a query.
    ///
    /// # Errors
    /// What cannot be understood.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0 };
        let table = parser.word()?;
        let mut steps = Vec::new();
        while !parser.ends() {
            parser.sign("|")?;
            steps.push(parser.step()?);
        }
        Ok(Query { table: table.to_ascii_lowercase(), steps })
    }

    /// Whether the rows come in an order, or with their id, so that pages can be told apart.
    pub(crate) fn is_pageable(&self) -> bool {
        let mut projected = None;
        for step in &self.steps {
            match step {
                Step::Order(_) => return true,
                Step::Project(members) => projected = Some(members.iter().any(|(name, _)| name == "id")),
                _ => {}
            }
        }
        projected.unwrap_or(true)
    }

    /// The rows that the query makes of a table's.
    pub(crate) fn run(&self, rows: Vec<Value>) -> Result<Vec<Value>, String> {
        let mut rows = rows;
        for step in &self.steps {
            match step {
                Step::Where(condition) => {
                    let mut kept = Vec::new();
                    for row in rows {
                        if condition.value(&row)? == Value::Bool(true) {
                            kept.push(row);
                        }
                    }
                    rows = kept;
                }
                Step::Extend(members) => {
                    for row in &mut rows {
                        for (name, expression) in members {
                            let value = expression.value(row)?;
                            row[name] = value;
                        }
                    }
                }
                Step::Project(members) => {
                    for row in &mut rows {
                        let mut kept = Map::new();
                        for (name, expression) in members {
                            kept.insert(name.clone(), expression.value(row)?);
                        }
                        *row = Value::Object(kept);
                    }
                }
                Step::Order(keys) => {
                    let mut keyed = Vec::new();
                    for row in rows {
                        let values: Result<Vec<Value>, String> =
                            keys.iter().map(|(key, _)| key.value(&row)).collect();
                        keyed.push((values?, row));
                    }
                    keyed.sort_by(|(a, _), (b, _)| {
                        let each = a.iter().zip(b).zip(keys).map(|((a, b), (_, descending))| {
                            let order = compare(a, b);
                            if *descending { order.reverse() } else { order }
                        });
                        each.fold(Ordering::Equal, Ordering::then)
                    });
                    rows = keyed.into_iter().map(|(_, row)| row).collect();
                }
                Step::Take(most) => rows.truncate(*most),
            }
        }
        Ok(rows)
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Value::String(a), Value::String(b)) => a.cmp(b),
        _ => a.to_string().cmp(&b.to_string()),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Expression {
    fn value(&self, row: &Value) -> Result<Value, String> {
        Ok(match self {
            Expression::Literal(value) => value.clone(),
            Expression::Path(path) => {
                let found = path.iter().try_fold(row, |value, name| value.get(name));
                found.cloned().unwrap_or_default()
            }
            Expression::Call(name, arguments) => {
                let values: Result<Vec<Value>, String> = arguments.iter().map(|a| a.value(row)).collect();
                let values = values?;
                let [value] = &values[..] else { return Err(format!("{name} takes one argument")) };
                match name.as_str() {
                    "tolower" => json!(text(value).to_lowercase()),
                    "tostring" => json!(text(value)),
                    "todatetime" | "datetime" => json!(text(value)),
                    "toint" | "tolong" => json!(text(value).parse::<i64>().ok()),
                    "isnotempty" => json!(!text(value).is_empty()),
                    "isempty" => json!(text(value).is_empty()),
                    other => return Err(format!("the function '{other}' is not known")),
                }
            }
            Expression::Compare(left, sign, right) => {
                let (left, right) = (left.value(row)?, right.value(row)?);
                let (a, b) = (text(&left), text(&right));
                json!(match sign.as_str() {
                    "==" => a == b,
                    "!=" => a != b,
                    "=~" => a.eq_ignore_ascii_case(&b),
                    "!~" => !a.eq_ignore_ascii_case(&b),
                    ">" => compare(&left, &right).is_gt(),
                    ">=" => compare(&left, &right).is_ge(),
                    "<" => compare(&left, &right).is_lt(),
                    "<=" => compare(&left, &right).is_le(),
                    "has" | "contains" => a.to_lowercase().contains(&b.to_lowercase()),
                    "startswith" => a.to_lowercase().starts_with(&b.to_lowercase()),
                    other => return Err(format!("the operator '{other}' is not known")),
                })
            }
            Expression::In(left, any_case, items) => {
                let left = text(&left.value(row)?);
                let mut found = false;
                for item in items {
                    let item = text(&item.value(row)?);
                    found |= if *any_case { left.eq_ignore_ascii_case(&item) } else { left == item };
                }
                json!(found)
            }
            Expression::And(left, right) => {
                json!(left.value(row)? == json!(true) && right.value(row)? == json!(true))
            }
            Expression::Or(left, right) => {
                json!(left.value(row)? == json!(true) || right.value(row)? == json!(true))
            }
        })
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let size = match c {
            c if c.is_whitespace() => c.len_utf8(),
            '\'' | '"' => {
                let (literal, size) = quoted(rest, c)?;
                found.push(Token::Text(literal));
                size
            }
            c if c.is_ascii_digit() => {
                let size = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
                let number =
                    rest[..size].parse().map_err(|_| format!("'{}' is not a number", &rest[..size]))?;
                found.push(Token::Number(number));
                size
            }
            c if c.is_ascii_alphabetic() || c == '_' || c == '$' => {
                let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
                let mut size = rest.find(|c: char| !in_word(c)).unwrap_or(rest.len());
                // `in~` is one word.
                if &rest[..size] == "in" && rest[size..].starts_with('~') {
                    size += 1;
                }
                found.push(Token::Word(rest[..size].to_owned()));
                size
            }
            _ => {
                let two = ["==", "!=", "=~", "!~", ">=", "<="];
                let sign = two.into_iter().find(|sign| rest.starts_with(sign));
                let one = ["|", "(", ")", ",", "=", ".", ">", "<"];
                let sign = sign.or_else(|| one.into_iter().find(|sign| rest.starts_with(sign)));
                let sign = sign.ok_or_else(|| format!("'{c}' is not expected here"))?;
                found.push(Token::Sign(sign.to_owned()));
                sign.len()
            }
        };
        rest = &rest[size..];
    }
    Ok(found)
}

/// A text in quotes, in which a backslash takes the next character as it is, and its length.
fn quoted(text: &str, mark: char) -> Result<(String, usize), String> {
    let mut literal = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => literal.push(chars.next().ok_or("the query ends inside a text")?.1),
            c if c == mark => return Ok((literal, at + 1)),
            '\n' | '\r' => return Err("a text does not end on its line".to_owned()),
            c => literal.push(c),
        }
    }
    Err("the query ends inside a text".to_owned())
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn ends(&self) -> bool {
        self.at >= self.tokens.len()
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<Token, String> {
        let token = self.peek().cloned().ok_or("the query ends too early")?;
        self.at += 1;
        Ok(token)
    }

    fn word(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            other => Err(format!("{other:?} stands where a name is expected")),
        }
    }

    fn is_sign(&self, sign: &str) -> bool {
        self.peek() == Some(&Token::Sign(sign.to_owned()))
    }

    fn sign(&mut self, sign: &str) -> Result<(), String> {
        if self.is_sign(sign) {
            self.at += 1;
            return Ok(());
        }
        Err(format!("'{sign}' is missing before {:?}", self.peek()))
    }

    fn step(&mut self) -> Result<Step, String> {
        let verb = self.word()?;
        Ok(match verb.as_str() {
            "where" => Step::Where(self.any()?),
            "extend" => Step::Extend(self.members(true)?),
            "project" => Step::Project(self.members(false)?),
            "take" | "limit" => match self.next()? {
                Token::Number(number) => Step::Take(number as usize),
                other => return Err(format!("{other:?} is not a number of rows")),
            },
            "order" | "sort" => {
                if self.word()? != "by" {
                    return Err("'by' is missing after 'order'".to_owned());
                }
                let mut keys = Vec::new();
                loop {
                    let key = self.operand()?;
                    // Without a word the order is descending, as Kusto has it.
                    let mut descending = true;
                    if let Some(Token::Word(word)) = self.peek()
                        && matches!(word.as_str(), "asc" | "desc")
                    {
                        descending = word == "desc";
                        self.at += 1;
                    }
                    keys.push((key, descending));
                    if !self.is_sign(",") {
                        break Step::Order(keys);
                    }
                    self.at += 1;
                }
            }
            other => return Err(format!("the operator '{other}' is not known")),
        })
    }

    fn members(&mut self, named: bool) -> Result<Vec<(String, Expression)>, String> {
        let mut members = Vec::new();
        loop {
            let before = self.at;
            let name = self.word()?;
            if self.is_sign("=") {
                self.at += 1;
                members.push((name, self.operand()?));
            } else if named {
                return Err(format!("'{name}' has no value"));
            } else {
                self.at = before;
                let Expression::Path(path) = self.operand()? else {
                    return Err(format!("'{name}' is not a column"));
                };
                members.push((path.join("_"), Expression::Path(path)));
            }
            if !self.is_sign(",") {
                return Ok(members);
            }
            self.at += 1;
        }
    }

    fn any(&mut self) -> Result<Expression, String> {
        let mut left = self.all()?;
        while self.peek() == Some(&Token::Word("or".to_owned())) {
            self.at += 1;
            left = Expression::Or(Box::new(left), Box::new(self.all()?));
        }
        Ok(left)
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut left = self.comparison()?;
        while self.peek() == Some(&Token::Word("and".to_owned())) {
            self.at += 1;
            left = Expression::And(Box::new(left), Box::new(self.comparison()?));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Expression, String> {
        if self.is_sign("(") {
            self.at += 1;
            let inner = self.any()?;
            self.sign(")")?;
            return Ok(inner);
        }
        let left = self.operand()?;
        let sign = match self.peek() {
            Some(Token::Sign(sign)) if !matches!(sign.as_str(), "|" | ")" | ",") => sign.clone(),
            Some(Token::Word(word)) if word != "and" && word != "or" => word.clone(),
            _ => return Ok(left),
        };
        self.at += 1;
        if matches!(sign.as_str(), "in" | "in~") {
            self.sign("(")?;
            let mut items = vec![self.operand()?];
            while self.is_sign(",") {
                self.at += 1;
                items.push(self.operand()?);
            }
            self.sign(")")?;
            return Ok(Expression::In(Box::new(left), sign == "in~", items));
        }
        Ok(Expression::Compare(Box::new(left), sign, Box::new(self.operand()?)))
    }

    fn operand(&mut self) -> Result<Expression, String> {
        match self.next()? {
            Token::Text(text) => Ok(Expression::Literal(json!(text))),
            Token::Number(number) if number.fract() == 0.0 => Ok(Expression::Literal(json!(number as i64))),
            Token::Number(number) => Ok(Expression::Literal(json!(number))),
            Token::Word(word) if self.is_sign("(") => {
                self.at += 1;
                let mut arguments = Vec::new();
                while !self.is_sign(")") {
                    arguments.push(self.operand()?);
                    if self.is_sign(",") {
                        self.at += 1;
                    }
                }
                self.at += 1;
                Ok(Expression::Call(word.to_ascii_lowercase(), arguments))
            }
            Token::Word(word) => {
                let mut path = vec![word];
                while self.is_sign(".") {
                    self.at += 1;
                    path.push(self.word()?);
                }
                Ok(Expression::Path(path))
            }
            Token::Sign(sign) => Err(format!("'{sign}' is not expected here")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Value> {
        vec![
            json!({ "id": "/A", "n": 1, "p": { "x": "B" } }),
            json!({ "id": "/b", "n": 3, "p": { "x": "it's" } }),
            json!({ "id": "/c", "n": 2, "p": {} }),
        ]
    }

    #[test]
    fn queries_filter_extend_order_and_project() {
        for (query, expected) in [
            ("t | where id in~ ('/a', '/C') | project id", json!([{ "id": "/A" }, { "id": "/c" }])),
            ("t | order by n desc | take 1 | project n", json!([{ "n": 3 }])),
            ("t | extend x = tolower(tostring(p.x)) | where x == 'b' | project x", json!([{ "x": "b" }])),
            (r"t | where p.x == 'it\'s' | project y = n", json!([{ "y": 3 }])),
            (
                "t | where n > 1 and (p.x =~ 'IT' or n == 2) | project p.x, n",
                json!([{ "p_x": null, "n": 2 }]),
            ),
        ] {
            let parsed = Query::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
            assert_eq!(Value::Array(parsed.run(rows()).unwrap()), expected, "{query}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for query in [
            "",
            "t | where",
            "t | whree id == 1",
            "t where id == 1",
            "t | where id in~ ('a'",
            "t | where id == 'a",
            "t | join (u) on id",
            "t | take x",
            "t ; drop",
        ] {
            assert!(Query::parse(query).is_err(), "{query}");
        }
        let unknown = Query::parse("t | extend a = base64(id)").unwrap();
        assert!(unknown.run(rows()).is_err());
    }
}
