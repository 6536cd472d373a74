package run

// Need says what an attack needs that a run lacks. The list is closed.
type Need string

// These can be given: each is the name of a field of [Target].
const (
	NeedEncryptTo     Need = "EncryptTo"
	NeedOtherACS      Need = "OtherACS"
	NeedLogin         Need = "Login" // a request, so no Target.IdPInitiated
	NeedSign          Need = "Sign"  // another way of signing
	NeedECDSA         Need = "IdP.ECDSA"
	NeedRSA1024       Need = "IdP.RSA1024"
	NeedIdPEncryption Need = "IdP.Encryption"
	NeedOtherIdP      Need = "OtherIdP"
	NeedOtherLogin    Need = "OtherLogin"
	NeedDiscovery     Need = "Discovery"
	NeedMetadata      Need = "Metadata"
	NeedLogout        Need = "Logout"
	NeedBackChannel   Need = "BackChannel"
	NeedArtifactACS   Need = "ArtifactACS"
	NeedAttributes    Need = "AttributeProbe"
)

const (
	// NeedSettings: the service provider must be set up in another way, or must make other requests.
	NeedSettings Need = "settings"
	// NeedSupport: the service provider must accept the twin, the same message without the attack.
	NeedSupport Need = "support"
	// NeedControl: the attack can't be made over HTTP from outside.
	NeedControl Need = "control"
	// NeedRestart: the service provider had stopped.
	NeedRestart Need = "restart"
)

const needsOtherACS = "it needs another ACS URL of the same service provider"

// text completes "attacks not run: ".
func (n Need) text() string {
	switch n {
	case NeedEncryptTo:
		return "they need the service provider's encryption certificate"
	case NeedOtherACS:
		return "they need another ACS URL of the same service provider"
	case NeedLogin:
		return "they need a sign-in that the service provider begins"
	case NeedSign:
		return "they do not apply to the selected ways of signing"
	case NeedECDSA:
		return "they need an identity provider with an ECDSA key"
	case NeedRSA1024:
		return "they need an identity provider with an RSA key of 1024 bits"
	case NeedIdPEncryption:
		return "they need an identity provider whose metadata has a key for encryption"
	case NeedOtherIdP:
		return "they need another identity provider that the service provider trusts"
	case NeedOtherLogin:
		return "they need a sign-in at the other identity provider"
	case NeedDiscovery:
		return "they need the address for the answer of a discovery service"
	case NeedMetadata:
		return "they need a service provider that reads metadata from a URL of this tool"
	case NeedLogout:
		return "they need the address of the service provider's single logout, by its metadata"
	case NeedBackChannel:
		return "they need a service provider that calls this tool, by the metadata of its identity provider"
	case NeedArtifactACS:
		return "they need the address where the service provider takes artifacts, by its metadata"
	case NeedAttributes:
		return "they need a page for which the service provider asks for attributes"
	case NeedSettings:
		return "they need a service provider with other settings, or with other requests"
	case NeedSupport:
		return "the service provider refuses the same messages without the attack, too"
	case NeedControl:
		return "they can't be made over HTTP from outside"
	}
	return hadStopped
}
