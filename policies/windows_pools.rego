# Windows pools have a taint, so that no Linux pod is placed on them.
package berth.windows_pools

deny contains {"msg": msg, "address": step.address} if {
	some step in input.steps
	step.type == "Microsoft.ContainerService/managedClusters/agentPools"
	step.desired != null
	lower(step.desired.properties.osType) == "windows"
	not is_tainted(step.desired.properties)
	msg := sprintf(
		"the Windows pool %s has no taint, and Linux pods will be placed on it: add `taints: [os=windows:NoSchedule]`",
		[step.address],
	)
}

is_tainted(properties) if count(properties.nodeTaints) > 0
