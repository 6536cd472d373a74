package attack

import (
	"strings"

	"github.com/beevik/etree"
)

// withComments: B25. Canonicalisation with comments signs octets that readers
// drop, so what it signs must hold none: then it is the one without comments by
// another name, and SAML Core 5.4.3 names it.
func withComments() []Case {
	algo := refuse("Algorithm")
	transform := func(s *signature) { s.exclusive().CreateAttr("Algorithm", excC14NComments) }
	method := func(s *signature) { s.c14n.CreateAttr("Algorithm", excC14NComments) }
	// named says WithComments in some of these places, and signs again.
	named := func(parts ...func(*signature)) func(*draft, *signature) {
		return func(_ *draft, s *signature) {
			for _, name := range parts {
				name(s)
			}
			s.redigest()
			s.ok()
		}
	}
	comment := func(d *draft, path string) { d.find(path).InsertChildAt(0, etree.NewComment(" x ")) }
	// Both, so that one is in what is signed where the assertion is encrypted.
	comments := func(d *draft) { comment(d, subject); comment(d, "./Status") }
	// In SignedInfo, before its first element.
	inInfo := func(s *signature) { s.info.InsertChildAt(0, etree.NewComment(" x ")) }
	list := func(s *signature) {
		s.inclusiveNamespaces(s.exclusive(), "xs")
		s.inclusiveNamespaces(s.c14n, "xs")
	}
	return []Case{
		sig("B25/signed-info", accept(), named(method)),
		sig("B25/transform", accept(), named(transform)),
		sig("B25/both", accept(), named(transform, method)),
		sig("B25/prefix-list", accept(), named(transform, method, list)),
		{ID: "B25/with-comment", Outcome: refuse("Algorithm", "Text"), attack: change{
			before: func(d *draft) { el := d.find(nameID); el.AddChild(etree.NewComment("x")) },
			signed: named(transform),
		}},
		{ID: "B25/comment-between-elements", Outcome: algo, attack: change{before: comments, signed: named(transform)}},
		{ID: "B25/comment-between-elements-and-list", Outcome: algo, attack: change{before: comments, signed: named(transform, list)}},
		sig("B25/comment-in-signed-info", algo, named(method, inInfo)),
		sig("B25/comment-in-reference", algo, named(method, func(s *signature) { s.ref.AddChild(etree.NewComment("x")) })),
		// Each is named for what it canonicalises; the comment is in the other.
		sig("B25/comment-in-signed-info-without", refuse("Algorithm"), named(transform, inInfo)),
		{ID: "B25/comment-between-elements-without", Outcome: refuse("Algorithm"), attack: change{before: comments, signed: named(method)}},
		// A comment that was not signed can't be added.
		{ID: "B25/comment-added", Outcome: algo, base: change{signed: named(transform, method)}, attack: change{text: replace("<saml2:Subject>", "<saml2:Subject><!-- x -->")}},
		{ID: "B25/comment-outside", Outcome: accept(), Needs: assertionOnly, base: change{signed: named(transform, method)}, attack: change{text: replace("<saml2p:Status>", "<!-- x --><saml2p:Status><!-- y -->")}},
		{ID: "B25/comment-around-root", Outcome: accept(), base: change{signed: named(transform, method)}, attack: change{text: func(_ *draft, s string) string {
			return strings.Replace(s, "?>", "?><!-- before -->", 1) + "<!-- after -->"
		}}},
	}
}
