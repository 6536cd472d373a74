package mockidp

// Status is the status of a Response without an assertion (SAML Core 3.2.2).
type Status struct {
	// Code is the top-level code. Zero: StatusResponder.
	Code string
	// SubCode is the second-level code. Zero: none.
	SubCode string
	// Message is the StatusMessage. Zero: none.
	Message string
}

// Top-level status codes (SAML Core 3.2.2.2).
const (
	StatusSuccess         = "urn:oasis:names:tc:SAML:2.0:status:Success"
	StatusRequester       = "urn:oasis:names:tc:SAML:2.0:status:Requester"
	StatusResponder       = "urn:oasis:names:tc:SAML:2.0:status:Responder"
	StatusVersionMismatch = "urn:oasis:names:tc:SAML:2.0:status:VersionMismatch"
)

// Second-level status codes (SAML Core 3.2.2.2).
const (
	StatusAuthnFailed         = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"
	StatusInvalidNameIDPolicy = "urn:oasis:names:tc:SAML:2.0:status:InvalidNameIDPolicy"
	StatusNoAuthnContext      = "urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext"
	StatusNoPassive           = "urn:oasis:names:tc:SAML:2.0:status:NoPassive"
	StatusRequestDenied       = "urn:oasis:names:tc:SAML:2.0:status:RequestDenied"
	StatusRequestUnsupported  = "urn:oasis:names:tc:SAML:2.0:status:RequestUnsupported"
	StatusUnknownPrincipal    = "urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal"
)

func (st Status) check() *Error {
	switch st.Code {
	case "", StatusRequester, StatusResponder, StatusVersionMismatch:
	default:
		return badConfig("Status.Code must be a top-level error code, got %s", quote(st.Code))
	}
	return checkText("Status", st.SubCode+st.Message)
}

// statusFor returns the status for a refusal that an app with RefuseByStatus reports to its service provider. The others
// are not reported: the request may not be the service provider's.
func statusFor(e *Error) (Status, bool) {
	switch e.Reason {
	case ReasonNotAssigned:
		return Status{StatusResponder, StatusRequestDenied, "The user is not assigned to this application."}, true
	case ReasonInactive:
		return Status{StatusResponder, StatusAuthnFailed, "The user can't sign in."}, true
	case ReasonNameIDPolicy:
		return Status{StatusRequester, StatusInvalidNameIDPolicy, "The NameIDPolicy asks for another format."}, true
	}
	return Status{}, false
}

// noPassive answers an IsPassive request that would have to show a page (SAML Core 3.4.1, 3.2.2.2).
var noPassive = Status{Code: StatusResponder, SubCode: StatusNoPassive}

// noContext answers a RequestedAuthnContext that can't be satisfied.
var noContext = Status{StatusResponder, StatusNoAuthnContext, "The requested authentication context is not available."}
