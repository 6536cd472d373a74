package mockidp

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/beevik/etree"
)

// handleArtifact serves an app's ArtifactResolutionService (SAML Profiles 5). A service provider that isn't
// authenticated gets an ArtifactResponse without a message, as for an artifact that is unknown, used, expired or for
// another one (SAML Core 3.5.3).
func (s *Server) handleArtifact(r *http.Request, in incoming) ([]byte, *Error) {
	st := s.state.Load()
	app, err := st.appAt(r)
	if err == nil && app.ResponseBinding == ResponsePOST {
		err = errorf(ReasonBinding, "the app %s has no ArtifactResolutionService", quote(app.Label))
	}
	if err != nil {
		return nil, err
	}
	req, id, err := s.readCall(app, in, "ArtifactResolve", s.artifactURL(app))
	if req == nil || err != nil && err.Reason != ReasonSignature {
		return nil, err
	}
	var waiting artifact
	found := false
	if err == nil {
		if waiting, found = s.takeArtifact(app, req.artifact()); !found {
			s.messages.refuse(id, errorf(ReasonArtifact, "the artifact is unknown, used, expired or another service provider's"))
		}
	}
	var inside []byte
	if found {
		inside = waiting.response
	}
	return s.artifactResponse(st, app, req.id, waiting.login, inside)
}

// artifact returns the Artifact of an ArtifactResolve.
func (c *call) artifact() string {
	el := childNamed(c.root, xml.Name{Space: nsProtocol, Local: "Artifact"})
	if el == nil {
		return ""
	}
	return strings.TrimSpace(el.Text())
}

// artifactResponse returns a signed ArtifactResponse (SAML Core 3.5.2) with a message inside, or without.
func (s *Server) artifactResponse(st *state, app *App, inResponseTo, login string, inside []byte) ([]byte, *Error) {
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	doc, werr := newDocument("artifact-response", map[string]any{"ID": id, "InResponseTo": inResponseTo,
		"Now": instant(s.now()), "Issuer": app.Issuer})
	if werr != nil {
		return nil, internal("writing the ArtifactResponse", werr)
	}
	raw, err := s.signedAround(st, app, doc.Root(), inside)
	if err != nil {
		return nil, err
	}
	s.messages.add(Message{Time: s.now(), Direction: Sent, App: app.ID, User: login, Binding: bindingSOAP, XML: raw})
	return raw, nil
}

// signedAround signs an element with a message as its last child, and returns it with the octets of that message
// unchanged. A message that isn't XML, which only Config.Mutate makes, can't be signed: the element is then unsigned.
func (s *Server) signedAround(st *state, app *App, outer *etree.Element, inside []byte) ([]byte, *Error) {
	signer, err := st.signer(app)
	if err != nil {
		return nil, err
	}
	inside = withoutDeclaration(inside)
	whole, place, readable := outer.Copy(), outer.CreateElement("inside"), true
	if len(inside) == 0 {
		outer.RemoveChild(place)
	} else {
		parsed := canonical(etree.NewDocument())
		if readable = parsed.ReadFromBytes(inside) == nil && parsed.Root() != nil; readable {
			whole.AddChild(parsed.Root())
		}
	}
	if readable {
		sig, serr := signer.signature(whole)
		if serr != nil {
			return nil, internal("signing the message", serr)
		}
		outer.InsertChildAt(childNamed(outer, xml.Name{Space: nsAssertion, Local: "Issuer"}).Index()+1, sig)
	}
	raw, werr := canonical(etree.NewDocumentWithRoot(outer)).WriteToBytes()
	if werr != nil {
		return nil, internal("writing the message", werr)
	}
	return bytes.Replace(raw, []byte("<inside/>"), inside, 1), nil
}

// withoutDeclaration removes a document's XML declaration and byte order mark.
func withoutDeclaration(doc []byte) []byte {
	doc = bytes.TrimPrefix(doc, []byte(byteOrderMark))
	if after, has := bytes.CutPrefix(doc, []byte("<?xml ")); has {
		_, doc, _ = bytes.Cut(after, []byte("?>"))
	}
	return doc
}
