# Resources stand in approved regions only. The list is data: regions.json, or a file of your own.
package berth.regions

deny contains {"msg": msg, "address": step.address} if {
	some step in input.steps
	step.desired != null
	step.location != null
	region := normal(step.location)
	region != "global"
	not region in {normal(approved) | some approved in approved_regions}
	msg := sprintf("%s would stand in %s, and approved are: %s", [
		step.address,
		step.location,
		concat(", ", approved_regions),
	])
}

# Without data nothing is approved, rather than everything.
approved_regions := [region | some region in data.approvedRegions]

# `West Europe` and `westeurope` are one region.
normal(region) := lower(replace(region, " ", ""))
