package mockidp

// Status is what a Response says instead of holding an assertion (SAML Core 3.2.2).
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
		return badConfig("Status.Code is not a top-level error code: %s", quote(st.Code))
	}
	return checkText("Status", st.SubCode+st.Message)
}

// statusFor says which refusals an app with RefuseByStatus tells its service
// provider. Others may come from somebody else than it.
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

// noPassive is for an IsPassive request that would need the person (SAML Core
// 3.4.1, 3.2.2.2).
var noPassive = Status{Code: StatusResponder, SubCode: StatusNoPassive}

// noContext is for a RequestedAuthnContext that can't be met.
var noContext = Status{StatusResponder, StatusNoAuthnContext, "No sign-in here has the authentication context that was asked for."}
