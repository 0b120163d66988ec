# A cluster's API server is private, or says who may reach it.
package berth.clusters

deny contains {"msg": msg, "address": step.address} if {
	some step in input.steps
	step.type == "Microsoft.ContainerService/managedClusters"
	step.desired != null
	not is_guarded(step.desired.properties)
	msg := sprintf(
		"anybody can reach the API server of %s: give `apiServer.authorizedIpRanges`, or make it private",
		[step.address],
	)
}

is_guarded(properties) if properties.apiServerAccessProfile.enablePrivateCluster == true

is_guarded(properties) if {
	count(properties.apiServerAccessProfile.authorizedIPRanges) > 0
	every range in properties.apiServerAccessProfile.authorizedIPRanges {
		not range in {"0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"}
	}
}
