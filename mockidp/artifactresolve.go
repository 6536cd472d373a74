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
func (s *Server) handleArtifact(_ *http.Request, st *state, app *App, in incoming) ([]byte, *Error) {
	if app.ResponseBinding == ResponsePOST {
		return nil, errorf(ReasonBinding, "the app %s has no ArtifactResolutionService", quote(app.Label))
	}
	req, id, err := s.readCall(app, in, "ArtifactResolve", s.artifactURL(app))
	if req == nil || err != nil && err.Reason != ReasonSignature {
		return nil, err
	}
	if err != nil {
		return s.artifactResponse(st, app, resolution{inResponseTo: req.id})
	}
	faults := s.takeMessageFaults(app.ID, resolutionFaults...)
	waiting, found := s.takeArtifact(app, req.artifact(), has(faults, ArtifactAgain))
	if !found {
		s.messages.refuse(id, errorf(ReasonArtifact, "the artifact is unknown, used, expired or another service provider's"))
		return s.artifactResponse(st, app, resolution{inResponseTo: req.id})
	}
	return s.artifactResponse(st, app, resolution{req.id, waiting.login, waiting.response, faults, waiting})
}

// resolution is what an ArtifactResponse is made from.
type resolution struct {
	inResponseTo, login string
	inside              []byte // nil: no message
	faults              []Fault
	of                  artifact
}

// artifact returns the Artifact of an ArtifactResolve.
func (c *call) artifact() string {
	el := childNamed(c.root, xml.Name{Space: nsProtocol, Local: "Artifact"})
	if el == nil {
		return ""
	}
	return strings.TrimSpace(el.Text())
}

// artifactResponse returns a signed ArtifactResponse (SAML Core 3.5.2).
func (s *Server) artifactResponse(st *state, app *App, res resolution) ([]byte, *Error) {
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	inside, err := s.spoiledInside(st, app, res)
	if err != nil {
		return nil, err
	}
	data := map[string]any{"ID": id, "InResponseTo": res.inResponseTo, "Now": instant(s.now()), "Issuer": app.Issuer,
		"Status": StatusSuccess}
	for _, f := range res.faults {
		switch f.Kind {
		case ArtifactInResponseTo:
			data["InResponseTo"] = unknownID
		case ArtifactIssuer:
			data["Issuer"] = elsewhere
		case ArtifactStatus:
			data["Status"] = StatusResponder
		}
	}
	doc, werr := newDocument("artifact-response", data)
	if werr != nil {
		return nil, internal("writing the ArtifactResponse", werr)
	}
	raw, err := s.signedAround(st, app, doc.Root(), inside, sealingBy(res.faults))
	if err != nil {
		return nil, err
	}
	if res.inside == nil {
		s.messages.add(Message{Time: s.now(), Direction: Sent, App: app.ID, Binding: bindingSOAP, XML: raw})
		return raw, nil
	}
	change := MessageMutation{Kind: ChangesArtifactAnswer, Destination: res.of.acs, InResponseTo: res.inResponseTo,
		AuthnRequest: res.of.request}
	return s.bySOAP(st, app, raw, change, Message{User: res.login, Faults: kindsOf(res.faults)})
}

// signedAround signs an element around messages, and returns it with the octets of those unchanged. A message that
// isn't XML, which only Config.Mutate makes, can't be signed: the element is then unsigned.
func (s *Server) signedAround(
	st *state, app *App, outer *etree.Element, inside []byte, how sealing) ([]byte, *Error) {
	k, err := s.sealer(st, app, how)
	if err != nil {
		return nil, err
	}
	whole := outer.Copy()
	read := etree.NewDocument()
	if read.ReadFromString("<i>"+string(inside)+"</i>") != nil {
		how = unsealed
	} else {
		for _, el := range read.Root().ChildElements() {
			whole.AddChild(el)
		}
	}
	if how != unsealed {
		sig, serr := k.signature(whole)
		if serr != nil {
			return nil, internal("signing the message", serr)
		}
		outer.InsertChildAt(childNamed(outer, xml.Name{Space: nsAssertion, Local: "Issuer"}).Index()+1, sig)
	}
	if how == tampered {
		tamper(outer)
	}
	outer.CreateElement("inside")
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
