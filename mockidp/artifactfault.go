package mockidp

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"slices"

	"github.com/beevik/etree"
)

// resolutionFaults are the kinds that an ArtifactResponse can have.
var resolutionFaults = []FaultKind{ArtifactAgain, ArtifactInResponseTo, ArtifactIssuer, ArtifactOtherIdP,
	ArtifactStatus, ArtifactEmpty, ArtifactTwo, ArtifactLogoutRequest, ArtifactInside, ArtifactUnsigned, ArtifactTampered,
	ArtifactOtherKey}

// spoiledInside returns the messages in an ArtifactResponse: the Response, or what a fault has in its place.
func (s *Server) spoiledInside(st *state, app *App, res resolution) ([]byte, *Error) {
	inside := withoutDeclaration(res.inside)
	if len(inside) == 0 {
		return nil, nil
	}
	for _, f := range res.faults {
		switch f.Kind {
		case ArtifactEmpty:
			return nil, nil
		case ArtifactTwo:
			second, err := s.changedResponse(st, app, inside, func(el *etree.Element) { el.CreateAttr("ID", "_2"+el.Tag) })
			return slices.Concat(inside, second), err
		case ArtifactOtherIdP:
			other, _ := s.otherIdP(app.ID)
			issuer := xml.Name{Space: nsAssertion, Local: "Issuer"}
			return s.changedResponse(st, app, inside, func(el *etree.Element) {
				if own := childNamed(el, issuer); own != nil {
					own.SetText(cmp.Or(other, elsewhere))
				}
			})
		case ArtifactInside:
			root := etree.NewDocument()
			if root.ReadFromBytes(inside) != nil || root.Root() == nil {
				return inside, nil
			}
			target := root.Root()
			if a := target.SelectElement("saml2:Assertion"); a != nil && app.Sign == SignAssertion {
				target = childNamed(a, xml.Name{Space: nsAssertion, Local: "Issuer"})
				target.CreateAttr("SPProvidedID", "x")
			} else {
				tamper(target)
			}
			out, err := canonical(root).WriteToBytes()
			if err != nil {
				return nil, internal("writing the Response", err)
			}
			return withoutDeclaration(out), nil
		case ArtifactLogoutRequest:
			p := participant{app: app.ID, nameID: res.login, format: app.NameIDFormat, index: unknownID}
			_, doc, err := s.logoutRequest(app, p, app.DefaultACS().URL)
			if err == nil {
				err = s.seal(st, app, doc.Root(), sealed)
			}
			if err != nil {
				return nil, err
			}
			out, werr := doc.WriteToBytes()
			if werr != nil {
				return nil, internal("writing the LogoutRequest", werr)
			}
			return withoutDeclaration(out), nil
		}
	}
	return inside, nil
}

// changedResponse changes a Response and its assertion, and signs both again as the app does.
func (s *Server) changedResponse(
	st *state, app *App, response []byte, change func(*etree.Element)) ([]byte, *Error) {
	k, err := st.signer(app)
	if err != nil {
		return nil, err
	}
	doc := canonical(etree.NewDocument())
	if doc.ReadFromBytes(bytes.Clone(response)) != nil || doc.Root() == nil {
		return response, nil // a mutation that isn't XML
	}
	parts := []*etree.Element{doc.Root()}
	if a := doc.Root().SelectElement("saml2:Assertion"); a != nil {
		parts = append(parts, a)
	}
	for _, el := range parts {
		for old := childNamed(el, signatureName); old != nil; old = childNamed(el, signatureName) {
			el.RemoveChild(old)
		}
		change(el)
	}
	if err := s.protect(doc.Root(), answer{app: app, binding: ResponseArtifact, signer: k}, false); err != nil {
		return nil, internal("signing the Response", err)
	}
	out, werr := doc.WriteToBytes()
	if werr != nil {
		return nil, internal("writing the Response", werr)
	}
	return withoutDeclaration(out), nil
}
