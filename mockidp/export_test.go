package mockidp

// ParsedRequest is the result of parseAuthnRequest.
type ParsedRequest struct {
	ID, Issuer string
	Classes    []string // of RequestedAuthnContext
}

// ParseEncoded decodes and parses a SAMLRequest parameter.
func ParseEncoded(post bool, param string) (*ParsedRequest, []byte, error) {
	in := incoming{binding: bindingRedirect, message: param, has: true}
	if post {
		in.binding = bindingPOST
	}
	doc, err := in.xml()
	if err != nil {
		return nil, nil, err
	}
	req, err := parseAuthnRequest(doc)
	if err != nil {
		if req != nil {
			panic("an error with a result")
		}
		return nil, doc, err
	}
	out := &ParsedRequest{ID: req.ID, Issuer: req.Issuer}
	if req.Context != nil {
		out.Classes = req.Context.classes
	}
	return out, doc, nil
}

// Bounds.
const (
	MaxACS        = maxACS
	MaxRequest    = maxRequest
	MaxRelayState = maxRelayState
)

// Logouts returns how many sign-outs are pending, and how many LogoutRequests are remembered.
func (s *Server) Logouts() (pending, heard int) {
	s.logouts.with(func(m map[string]logout) { pending = len(m) })
	s.heard.with(func(m map[string]struct{}) { heard = len(m) })
	return pending, heard
}
