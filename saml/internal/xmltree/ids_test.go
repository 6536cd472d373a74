package xmltree_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const dsNS = `xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`

// B10, B11: an ID occurs once, in any spelling of the attribute.
func TestIDs(t *testing.T) {
	spellings := []string{"ID", "Id", "id", "xml:id"}
	for _, a := range spellings {
		for _, b := range spellings {
			doc := fmt.Sprintf(`<r><a %s="x"/><b><c %s="x"/></b></r>`, a, b)
			_, err := xmltree.Parse(doc, roomy)
			requireKind(t, xmltree.Duplicate, doc, err)
			doc = fmt.Sprintf(`<r><a %s="x"/><b><c %s="X"/></b></r>`, a, b)
			d := parse(t, doc)
			require.True(t, d.HasID("x") && d.HasID("X") && !d.HasID("y") && !d.HasID(""))
			if a != b {
				doc = fmt.Sprintf(`<r %s="x" %s="x"/>`, a, b)
				_, err = xmltree.Parse(doc, roomy)
				requireKind(t, xmltree.Duplicate, doc, err)
			}
		}
	}
	for doc, want := range map[string]xmltree.Reason{
		`<r ID="x"><a ID="&#120;"/></r>`:                xmltree.Duplicate,
		`<r ID="x"><a ID="x "/></r>`:                    accepted,
		"<r ID=\"x \"><a ID=\"x\n\"/></r>":              xmltree.Duplicate,
		`<r ID=""><a ID=""/></r>`:                       xmltree.Duplicate,
		`<r ID=""><a Id="x"/></r>`:                      accepted,
		`<r iD="x"><a iD="x"/></r>`:                     accepted, // no software takes this spelling for an ID
		`<r xmlns:p="urn:p" p:ID="x"><a p:ID="x"/></r>`: accepted,
		`<r xmlns:p="urn:p" p:ID="x"><a ID="x"/></r>`:   accepted,
		`<r xmlns:ID="urn:x"><a xmlns:ID="urn:x"/></r>`: accepted,
		`<r AssertionID="x"><a AssertionID="x"/></r>`:   accepted,
		`<r xml:ID="x"><a xml:Id="x"/><b ID="x"/></r>`:  accepted,
		// Signatures may share an Id among themselves, and with nothing else.
		`<r ` + dsNS + `><ds:Signature Id="s"/><ds:Signature Id="s"/></r>`:            accepted,
		`<r ` + dsNS + `><ds:Signature Id="s"/><ds:Signature ID="s"/></r>`:            accepted,
		`<r ` + dsNS + `><ds:Signature Id="s"/><a ID="s"/></r>`:                       xmltree.Duplicate,
		`<r ` + dsNS + `><a ID="s"/><ds:Signature Id="s"/></r>`:                       xmltree.Duplicate,
		`<r ` + dsNS + `><ds:Signature Id="s"/><ds:Signature Id="s"/><a ID="s"/></r>`: xmltree.Duplicate,
		`<r ` + dsNS + `><ds:Signature Id="s"><ds:Object Id="s"/></ds:Signature></r>`: xmltree.Duplicate,
		`<r ` + dsNS + `><ds:SignedInfo Id="s"/><ds:SignedInfo Id="s"/></r>`:          xmltree.Duplicate,
		`<r><Signature Id="s"/><Signature Id="s"/></r>`:                               xmltree.Duplicate,
		`<r xmlns:ds="urn:x"><ds:Signature Id="s"/><ds:Signature Id="s"/></r>`:        xmltree.Duplicate,
	} {
		_, err := xmltree.Parse(doc, roomy)
		requireKind(t, want, doc, err)
	}
	// The set is kept in another way once it is large.
	many := times(100, func(i int) string { return fmt.Sprintf(`<a ID="i%d"/>`, i) })
	parse(t, "<r>"+many+"</r>")
	for _, i := range []int{0, 15, 16, 17, 18, 50, 99} {
		doc := fmt.Sprintf(`<r>%s<a Id="i%d"/></r>`, many, i)
		_, err := xmltree.Parse(doc, roomy)
		requireKind(t, xmltree.Duplicate, doc, err)
	}
}
