package mockidp

import "slices"

// The kinds of faults in logout messages, whether they go by SOAP or through the browser.
const (
	LogoutUnsigned    FaultKind = "logout-unsigned"    // no signature
	LogoutTampered    FaultKind = "logout-tampered"    // changed after it was signed
	LogoutOtherKey    FaultKind = "logout-other-key"   // signed with another identity provider's key
	LogoutDestination FaultKind = "logout-destination" // another Destination
	LogoutExpired     FaultKind = "logout-expired"     // of LogoutRequests: NotOnOrAfter passed an hour ago
	LogoutNoEnd       FaultKind = "logout-no-end"      // of LogoutRequests: no NotOnOrAfter

	// LogoutEncryptedForOther and LogoutCiphertext: an EncryptedID in a LogoutRequest that the app can't decrypt.
	LogoutEncryptedForOther FaultKind = "logout-encrypted-for-other" // for another key
	LogoutCiphertext        FaultKind = "logout-ciphertext"          // another ciphertext

	LogoutInResponseTo FaultKind = "logout-in-response-to" // of LogoutResponses: InResponseTo names no request
	LogoutPartial      FaultKind = "logout-partial"        // of LogoutResponses: PartialLogout
	LogoutSilent       FaultKind = "logout-silent"         // of LogoutResponses: none is sent
)

// The kinds of faults in artifacts, and in the answers of the ArtifactResolutionService.
const (
	ArtifactMalformed FaultKind = "artifact-malformed" // the artifact is cut short
	ArtifactSource    FaultKind = "artifact-source"    // its SourceID is of another identity provider
	ArtifactNoIndex   FaultKind = "artifact-index"     // its EndpointIndex isn't in the metadata

	ArtifactAgain         FaultKind = "artifact-again"          // it can be resolved once more
	ArtifactInResponseTo  FaultKind = "artifact-in-response-to" // InResponseTo names no request
	ArtifactIssuer        FaultKind = "artifact-issuer"         // the ArtifactResponse has another Issuer
	ArtifactOtherIdP      FaultKind = "artifact-other-idp"      // the Response inside names another identity provider
	ArtifactStatus        FaultKind = "artifact-status"         // an error status around a good Response
	ArtifactEmpty         FaultKind = "artifact-empty"          // nothing inside
	ArtifactTwo           FaultKind = "artifact-two"            // two Responses inside
	ArtifactLogoutRequest FaultKind = "artifact-logout-request" // a LogoutRequest inside
	ArtifactInside        FaultKind = "artifact-inside"         // the Response was changed after it was signed
	ArtifactUnsigned      FaultKind = "artifact-unsigned"       // the ArtifactResponse isn't signed
	ArtifactTampered      FaultKind = "artifact-tampered"       // it was changed after it was signed
	ArtifactOtherKey      FaultKind = "artifact-other-key"      // it is signed with another identity provider's key
)

// The kinds of faults in the answers to attribute queries.
const (
	AttributesSubject  FaultKind = "attributes-subject"  // about another user
	AttributesAudience FaultKind = "attributes-audience" // for another service provider
	AttributesUnsigned FaultKind = "attributes-unsigned" // no signature
	AttributesUnasked  FaultKind = "attributes-unasked"  // InResponseTo names no query
)

var messageFaultKinds = []FaultKind{LogoutUnsigned, LogoutTampered, LogoutOtherKey, LogoutDestination, LogoutExpired,
	LogoutNoEnd, LogoutEncryptedForOther, LogoutCiphertext, LogoutInResponseTo, LogoutPartial, LogoutSilent,
	ArtifactMalformed, ArtifactSource, ArtifactNoIndex, ArtifactAgain, ArtifactInResponseTo, ArtifactIssuer,
	ArtifactOtherIdP, ArtifactStatus, ArtifactEmpty, ArtifactTwo, ArtifactLogoutRequest, ArtifactInside, ArtifactUnsigned,
	ArtifactTampered, ArtifactOtherKey,
	AttributesSubject, AttributesAudience, AttributesUnsigned, AttributesUnasked,
	SOAPFault, SOAPHTML, SOAPRedirect, SOAPSlow, SOAPEndless, SOAPType, SOAPDoctype, SOAPHeader}

// The endpoints of single logout, of artifacts and of attribute queries.
const (
	EndpointLogout     Endpoint = "logout"     // LogoutResponses, and by SOAP the other answers to LogoutRequests
	EndpointArtifact   Endpoint = "artifact"   // the ArtifactResolutionService
	EndpointAttributes Endpoint = "attributes" // the AttributeService
)

var soapEndpoints = []Endpoint{EndpointLogout, EndpointArtifact, EndpointAttributes}

// ofMessages reports whether f affects logout messages, artifacts or attribute queries, and not responses through the
// browser.
func (f Fault) ofMessages() bool {
	return slices.Contains(soapEndpoints, f.Endpoint) || slices.Contains(messageFaultKinds, f.Kind)
}

func (f Fault) checkMessages() *Error {
	known := slices.Contains([]FaultKind{Delay, DropConnection, ServerError}, f.Kind) || f.bySOAP()
	switch {
	case f.Endpoint != "" && !slices.Contains(soapEndpoints, f.Endpoint):
		return badConfig("Fault.Endpoint of the kind %s must be logout, artifact or attributes", quote(string(f.Kind)))
	case f.Endpoint != "" && !known:
		return badConfig("Fault.Endpoint isn't for the kind %s", quote(string(f.Kind)))
	case f.Entity != "":
		return badConfig("Fault.Entity is for the federation")
	case f.Kind == SOAPSlow && f.For < 0:
		return badConfig("Fault.For of a slow answer must not be negative, got %v", f.For)
	}
	return f.checkURL()
}

// takeMessageFaults returns those of the kinds that are in force for an app's next message, and decrements their
// counts.
func (s *Server) takeMessageFaults(app string, kinds ...FaultKind) []Fault {
	return s.takeFaultsOf(func(f Fault) bool {
		return slices.Contains(kinds, f.Kind) && f.ofMessages() && (f.App == "" || f.App == app)
	})
}

// sealing is what becomes of a signature.
type sealing int

const (
	sealed sealing = iota
	unsealed
	tampered
	sealedByOther
)

// sealingBy returns what the first of the faults about signatures wants.
func sealingBy(faults []Fault) sealing {
	for _, f := range faults {
		switch f.Kind {
		case LogoutUnsigned, ArtifactUnsigned, AttributesUnsigned:
			return unsealed
		case LogoutTampered, ArtifactTampered:
			return tampered
		case LogoutOtherKey, ArtifactOtherKey:
			return sealedByOther
		}
	}
	return sealed
}

// sealer returns the key for a message. That of another identity provider is one that no client trusts.
func (s *Server) sealer(st *state, app *App, how sealing) (signer, *Error) {
	if how == sealedByOther {
		root := s.listening()
		return root.federation.signer(root, otherKey)
	}
	return st.signer(app)
}

// elsewhere is a value of other parties in messages with faults.
const (
	elsewhere = "https://elsewhere.example/"
	unknownID = "_of-no-request"
)
