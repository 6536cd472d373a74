package mockidp

import (
	"encoding/xml"
	"slices"
)

// maxMetadata bounds what RegisterSP reads.
const maxMetadata = 1 << 20

// RegisterSP takes a service provider's metadata into a SAML app ("" is the
// first): its entity ID becomes the Audience, and its HTTP-POST assertion
// consumer services become the ACS list, with their indexes and in their
// order, except that the default (SAML Metadata 2.4.4) comes first.
func (s *Server) RegisterSP(appID string, spMetadata []byte) error {
	entityID, list, perr := parseSPMetadata(spMetadata)
	if perr != nil {
		return perr
	}
	if _, err := s.state.Load().samlApp(appID); err != nil {
		return err
	}
	return s.UpdateApp(appID, func(a *App) error {
		a.Audience, a.ACS = entityID, list
		return nil
	})
}

type spDescriptor struct {
	XMLName  xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
	EntityID string   `xml:"entityID,attr"`
	SP       []struct {
		ACS []struct {
			Binding  string  `xml:"Binding,attr"`
			Location string  `xml:"Location,attr"`
			Index    *uint16 `xml:"index,attr"`
			Default  *bool   `xml:"isDefault,attr"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:metadata AssertionConsumerService"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:metadata SPSSODescriptor"`
}

func parseSPMetadata(doc []byte) (string, []ACS, *Error) {
	bad := func(detail string, err error) (string, []ACS, *Error) {
		return "", nil, &Error{Reason: ReasonMetadata, Detail: "the service provider's metadata " + detail, Err: err}
	}
	if len(doc) > maxMetadata {
		return bad("is over 1 MiB", nil)
	}
	var d spDescriptor
	if err := xml.Unmarshal(doc, &d); err != nil {
		return bad("can't be read", err)
	}
	if d.EntityID == "" || len(d.SP) != 1 {
		return bad("must have an entityID and one SPSSODescriptor", nil)
	}
	var list []ACS
	first, unmarked := -1, -1
	for _, x := range d.SP[0].ACS {
		if x.Binding != bindingPOST {
			continue
		}
		if x.Default != nil && *x.Default && first < 0 {
			first = len(list)
		}
		if x.Default == nil && unmarked < 0 {
			unmarked = len(list)
		}
		if x.Index == nil { // required by the schema; people leave it out
			n := uint16(len(list))
			x.Index = &n
		}
		list = append(list, ACS{URL: x.Location, Index: x.Index})
	}
	if len(list) == 0 {
		return bad("has no AssertionConsumerService for HTTP-POST", nil)
	}
	// The first isDefault="true"; else the first that doesn't say; else the first.
	at := max(first, 0)
	if first < 0 && unmarked >= 0 {
		at = unmarked
	}
	def := list[at]
	list = slices.Insert(slices.Delete(list, at, at+1), 0, def)
	if _, err := numberedACS(list); err != nil {
		return bad("has a list of consumers that can't be taken", err)
	}
	return d.EntityID, list, nil
}
