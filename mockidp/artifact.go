package mockidp

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // SAML Bindings 3.6.4 requires it
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Responses by the HTTP-Artifact binding (SAML Bindings 3.6): the browser carries a reference, an artifact, and the
// service provider fetches the Response with it, by SOAP.

const bindingArtifact = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"

// ArtifactLifetime is how long an artifact can be resolved.
const ArtifactLifetime = time.Minute

// ArtifactIndex is the index of the ArtifactResolutionService in an app's metadata, which its artifacts name. It isn't
// zero, so that a service provider that ignores it is noticed.
const ArtifactIndex = 3

// ResponseBinding is how an app's responses reach the service provider.
type ResponseBinding int

// The bindings.
const (
	ResponsePOST         ResponseBinding = iota // HTTP-POST; the zero value
	ResponseArtifact                            // HTTP-Artifact, in the query of the address
	ResponseArtifactPOST                        // HTTP-Artifact, in a form
)

// artifact is a Response that waits for its service provider.
type artifact struct {
	app, audience string // the service provider that it was made for
	login         string
	acs, request  string // of the sign-in; request is "" if it is unsolicited
	made          time.Time
	response      []byte
}

func (a artifact) bytes() int { return len(a.response) + 1<<10 }

// bindingFor returns the binding of the answer to a request, which may ask for another one than the app's.
func (a *App) bindingFor(req *authnRequest) ResponseBinding {
	if req != nil && req.Binding == bindingPOST {
		return ResponsePOST
	}
	return a.ResponseBinding
}

// checkBinding refuses a request for a binding that the app doesn't have.
func (a *App) checkBinding(req *authnRequest) *Error {
	if req.Binding == bindingArtifact && a.ResponseBinding == ResponsePOST {
		return mismatch(ReasonBinding, bindingPOST, req.Binding, "the request asks for its answer by another binding; the "+
			"ResponseBinding of the app %s switches it on", quote(a.Label))
	}
	return nil
}

// byArtifact replaces the Response in a message to the browser by an artifact. A mutation that changed the form itself
// is sent as it is.
func (s *Server) byArtifact(m *Message, a answer) *Error {
	m.Binding = bindingPOST
	if a.binding == ResponsePOST || m.Form.Fields != nil || m.Form.Method != POST || m.Form.Encoding != URLEncoded {
		return nil
	}
	handle, err := s.random(20)
	if err != nil {
		return err
	}
	s.artifacts.put(hex.EncodeToString(handle), artifact{app: a.app.ID, audience: a.app.Audience, login: a.login(),
		acs: a.acs.URL, request: a.inResponseTo, made: s.now(), response: m.XML})
	faults := s.takeMessageFaults(a.app.ID, ArtifactMalformed, ArtifactSource, ArtifactNoIndex)
	m.Faults = append(m.Faults, kindsOf(faults)...)
	text, id, err := s.mutatedArtifact(a, spoiledArtifact(a.app.Issuer, handle, faults))
	if err != nil {
		return err
	}
	m.Attack = cmp.Or(m.Attack, id)
	fields := []Field{{"SAMLart", text}}
	if m.Form.RelayState != "" {
		fields = append(fields, Field{"RelayState", m.Form.RelayState})
	}
	m.Binding, m.Form.SAMLResponse = bindingArtifact, ""
	if a.binding == ResponseArtifact { // a form's GET replaces the query of its address
		m.Form.Method = GET
		fields = append(queryFields(m.Form.URL), fields...)
	}
	m.Form.Fields = fields
	return nil
}

// spoiledArtifact returns an artifact with its faults.
func spoiledArtifact(issuer string, handle []byte, faults []Fault) string {
	index := uint16(ArtifactIndex)
	if has(faults, ArtifactNoIndex) {
		index++
	}
	if has(faults, ArtifactSource) {
		issuer = elsewhere
	}
	out := encodeArtifact(index, issuer, handle)
	if has(faults, ArtifactMalformed) {
		return out[:len(out)-4]
	}
	return out
}

// queryFields returns the parameters of an address in order.
func queryFields(address string) (out []Field) {
	u, err := url.Parse(address)
	if err != nil || u.RawQuery == "" {
		return nil
	}
	for _, pair := range strings.Split(u.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		n, nerr := url.QueryUnescape(name)
		v, verr := url.QueryUnescape(value)
		if nerr == nil && verr == nil {
			out = append(out, Field{n, v})
		}
	}
	return out
}

// encodeArtifact returns an artifact of type 0x0004 (SAML Bindings 3.6.4).
func encodeArtifact(index uint16, issuer string, handle []byte) string {
	source := sha1.Sum([]byte(issuer)) //nolint:gosec // as above
	head := binary.BigEndian.AppendUint16([]byte{0, 4}, index)
	return base64.StdEncoding.EncodeToString(slices.Concat(head, source[:], handle))
}

// handleOf returns the MessageHandle of an artifact of the app, in hexadecimal.
func (a *App) handleOf(text string) (string, bool) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != 44 {
		return "", false
	}
	return hex.EncodeToString(raw[24:]), encodeArtifact(ArtifactIndex, a.Issuer, raw[24:]) == text
}

// takeArtifact returns the Response of an artifact once, to the service provider that it was made for and until it
// expires (SAML Bindings 3.6.5.2).
//
// again leaves it there, for a fault.
func (s *Server) takeArtifact(app *App, text string, again bool) (out artifact, found bool) {
	handle, own := app.handleOf(text)
	if !own {
		return artifact{}, false
	}
	s.artifacts.with(func(all map[string]artifact) {
		out, found = all[handle]
		found = found && out.app == app.ID && out.audience == app.Audience
		if found && !again {
			delete(all, handle)
		}
	})
	return out, found && s.now().Sub(out.made) < ArtifactLifetime
}
