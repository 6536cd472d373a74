package mockidp

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// The namespaces of federations' metadata.
const (
	nsPublication   = "urn:oasis:names:tc:SAML:metadata:rpi"
	nsUI            = "urn:oasis:names:tc:SAML:metadata:ui"
	nsAttributes    = "urn:oasis:names:tc:SAML:metadata:attribute"
	nsShibboleth    = "urn:mace:shibboleth:metadata:1.0"
	declaresMD      = ` xmlns:md="` + nsMetadata + `"`
	beginExtensions = "<md:Extensions>"
)

const maxScopes = 20 // of an app

// The values of entity attributes.
const (
	entityCategory = "http://macedir.org/entity-category"
	entitySupport  = "http://macedir.org/entity-category-support"
	assurance      = "urn:oasis:names:tc:SAML:attribute:assurance-certification"

	researchAndScholarship = "http://refeds.org/category/research-and-scholarship"
	hideFromDiscovery      = "http://refeds.org/category/hide-from-discovery"
	sirtfi                 = "https://refeds.org/sirtfi"
)

// entity is an EntityDescriptor in canonical form, without its start tag. It begins with its Extensions.
type entity struct {
	id   string
	rest []byte
}

// startTag returns the start tag of a descriptor in canonical form (Exclusive XML Canonicalization): attributes are
// names and values, sorted by name.
func startTag(name string, declare bool, attributes ...[2]string) string {
	var b strings.Builder
	b.WriteString("<" + name)
	if declare {
		b.WriteString(declaresMD)
	}
	for _, a := range attributes {
		if a[1] != "" {
			b.WriteString(" " + a[0] + `="` + canonicalValue.Replace(a[1]) + `"`)
		}
	}
	return b.String() + ">"
}

// canonicalValue escapes the value of an attribute (Canonical XML 1.0, 2.3).
var canonicalValue = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\t", "&#x9;", "\n", "&#xA;",
	"\r", "&#xD;")

// within returns the descriptor as a child of an EntitiesDescriptor.
func (e entity) within() []byte {
	return append([]byte(startTag("md:EntityDescriptor", false, [2]string{"entityID", e.id})), e.rest...)
}

// newEntity takes a descriptor, which it changes.
func newEntity(root *etree.Element) (entity, error) {
	id := root.SelectAttrValue("entityID", "")
	text, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(root)
	if err != nil {
		return entity{}, err
	}
	rest, ok := bytes.CutPrefix(text, []byte(startTag("md:EntityDescriptor", true, [2]string{"entityID", id})))
	if !ok || !bytes.HasPrefix(rest, []byte(beginExtensions)) {
		return entity{}, fmt.Errorf("the descriptor of %s begins with %.200s", quote(id), text)
	}
	return entity{id, bytes.Clone(rest)}, nil
}

// about is what a federation adds to an identity provider's metadata.
type about struct {
	authority   string // that registered it
	names       map[string]string
	scopes      []string
	pattern     string // a scope that is a regular expression; or ""
	logo        string
	categories  []string
	support     []string
	assurance   []string
	description string
}

// ownEntities returns the identity providers of the process. Of apps with the same entity ID, the first counts.
func (s *Server) ownEntities(members []member) ([]entity, error) {
	var out []entity
	for _, m := range members {
		scopes := domains(m.state.users)
		for _, a := range m.state.apps {
			if a.Kind != SAML || a.Inactive {
				continue
			}
			doc, err := m.server.metadata(m.state, a)
			if err != nil {
				return nil, err
			}
			name := a.Label
			if m.server.name != "" {
				name += " (" + m.server.name + ")"
			}
			e, err := ownEntity(doc, about{authority: s.config.Federation.Name,
				names: map[string]string{"en": name}, scopes: scopes, description: "An app of a mock identity provider",
				support: []string{researchAndScholarship}, assurance: []string{sirtfi}})
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
	}
	return firstOfEach(out), nil
}

const registered = "2026-01-01T00:00:00Z"

// ownEntity takes an app's metadata. Only the IDPSSODescriptor stays: the signature is another document's, and the
// other roles of Entra ID's metadata aren't those of SAML.
func ownEntity(metadata []byte, a about) (entity, error) {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(bytes.TrimPrefix(metadata, []byte(byteOrderMark))); err != nil {
		return entity{}, err
	}
	doc.Unindent()
	root := doc.Root()
	for _, c := range root.ChildElements() {
		if c.Tag != "IDPSSODescriptor" {
			root.RemoveChild(c)
		}
	}
	root.RemoveAttr("ID")
	layOutLikeOkta(root)
	a.addTo(root)
	return newEntity(root)
}

// addTo adds Extensions to an EntityDescriptor and its IDPSSODescriptor.
func (a about) addTo(root *etree.Element) {
	for prefix, ns := range map[string]string{"md": nsMetadata, "mdrpi": nsPublication, "mdui": nsUI,
		"mdattr": nsAttributes, "shibmd": nsShibboleth, "saml": nsAssertion, "ds": nsSignature} {
		root.CreateAttr("xmlns:"+prefix, ns)
	}
	top := etree.NewElement("md:Extensions")
	add(top, "mdrpi:RegistrationInfo", "", "registrationAuthority", a.authority, "registrationInstant", registered)
	attributes := add(top, "mdattr:EntityAttributes", "")
	for _, list := range []struct {
		name   string
		values []string
	}{{entityCategory, a.categories}, {entitySupport, a.support}, {assurance, a.assurance}} {
		if len(list.values) == 0 {
			continue
		}
		attribute := add(attributes, "saml:Attribute", "", "Name", list.name, "NameFormat", AttrURI)
		for _, v := range list.values {
			add(attribute, "saml:AttributeValue", v)
		}
	}
	if len(attributes.ChildElements()) == 0 {
		top.RemoveChild(attributes)
	}
	root.InsertChildAt(0, top)

	inner := etree.NewElement("md:Extensions")
	for _, scope := range a.scopes {
		add(inner, "shibmd:Scope", scope, "regexp", "false")
	}
	if a.pattern != "" {
		add(inner, "shibmd:Scope", a.pattern, "regexp", "true")
	}
	ui := add(inner, "mdui:UIInfo", "")
	for _, lang := range []string{"de", "en"} {
		if name := a.names[lang]; name != "" {
			add(ui, "mdui:DisplayName", name, "xml:lang", lang)
		}
	}
	add(ui, "mdui:Description", a.description, "xml:lang", "en")
	if a.logo != "" {
		add(ui, "mdui:Logo", a.logo, "height", "16", "width", "16")
	}
	root.SelectElement("IDPSSODescriptor").InsertChildAt(0, inner)
}

// add adds an element with text and attributes, names and values in turn.
func add(parent *etree.Element, tag, text string, attributes ...string) *etree.Element {
	e := parent.CreateElement(tag)
	for i := 0; i < len(attributes); i += 2 {
		e.CreateAttr(attributes[i], attributes[i+1])
	}
	if text != "" {
		e.SetText(text)
	}
	return e
}
