# No vault is open to public networks.
package berth.vaults

deny contains {"msg": msg, "address": step.address} if {
	some step in input.steps
	step.type == "Microsoft.KeyVault/vaults"
	step.desired != null
	is_public(step.desired.properties)
	msg := sprintf("the vault %s can be reached from public networks: set `publicAccess: false`", [step.address])
}

# Azure's default is open, so saying nothing is open too.
is_public(properties) if not properties.publicNetworkAccess

is_public(properties) if lower(properties.publicNetworkAccess) == "enabled"
