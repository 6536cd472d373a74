package mockidp

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

const (
	generatedName = "https://idp-%s.example.org/metadata"
	// generatedLogo is a dot of 16 by 16 pixels.
	generatedLogo = "data:image/svg+xml;base64," +
		"PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSIxNiIgaGVpZ2h0PSIx" +
		"NiI+PGNpcmNsZSBjeD0iOCIgY3k9IjgiIHI9IjYiIGZpbGw9IiMzNjciLz48L3N2Zz4="

	// placeholder stands for an entity's number in a pattern. Nothing else in a pattern looks like it.
	placeholder = "#####"
	// patterns is how many entities differ in more than their number: the least common multiple of 2, 3, 4, 5, 7 and 10.
	patterns = 420
)

var generatedIDs = regexp.MustCompile(`^https://idp-([0-9]{5})\.example\.org/metadata$`)

// generatedID returns the entity ID of the generated identity provider with an index, which counts from 0.
func generatedID(i int) string { return fmt.Sprintf(generatedName, number(i)) }

func number(i int) string { return fmt.Sprintf("%05d", i+1) }

// generatedIndex is the reverse of generatedID, for the indexes below most.
func generatedIndex(id string, most int) (int, bool) {
	m := generatedIDs.FindStringSubmatch(id)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n - 1, err == nil && n >= 1 && n <= most
}

// generator makes the metadata of generated identity providers. It isn't for several goroutines at once.
type generator struct {
	authority string
	made      map[int]entity // by index modulo patterns
	text      []byte         // all of them, within an EntitiesDescriptor
	starts    []int          // where each begins in text, and the end
}

// entity returns the generated identity provider with an index.
func (g *generator) entity(i int) (entity, error) {
	e, ok := g.made[i%patterns]
	if !ok {
		var err error
		if e, err = pattern(i%patterns, g.authority); err != nil {
			return entity{}, err
		}
		if g.made == nil {
			g.made = map[int]entity{}
		}
		g.made[i%patterns] = e
	}
	return entity{generatedID(i), []byte(strings.ReplaceAll(string(e.rest), placeholder, number(i)))}, nil
}

// all makes the entities up to an index, all at once.
func (g *generator) all(n int) error {
	if g.starts != nil {
		return nil
	}
	var text []byte
	var starts []int
	for i := range n {
		e, err := g.entity(i)
		if err != nil {
			return err
		}
		starts = append(starts, len(text))
		text = append(text, e.within()...)
	}
	g.text, g.starts = slices.Clip(text), append(starts, len(text))
	return nil
}

// pattern returns a generated identity provider with placeholders. The private key of its certificate doesn't exist.
func pattern(i int, authority string) (entity, error) {
	every := func(k int) bool { return (i+1)%k == 0 }
	const host = "idp-" + placeholder + ".example.org"
	root := etree.NewElement("md:EntityDescriptor")
	root.CreateAttr("entityID", fmt.Sprintf(generatedName, placeholder))
	role := add(root, "md:IDPSSODescriptor", "", "protocolSupportEnumeration", nsProtocol, "errorURL",
		"https://"+host+"/error")
	info := add(add(role, "md:KeyDescriptor", "", "use", "signing"), "ds:KeyInfo", "")
	add(add(info, "ds:X509Data", ""), "ds:X509Certificate", strings.TrimSpace(nextKey))
	for _, format := range []string{NameIDTransient, NameIDPersistent} {
		add(role, "md:NameIDFormat", format)
	}
	for _, binding := range []string{bindingRedirect, bindingPOST} {
		add(role, "md:SingleSignOnService", "", "Binding", binding, "Location", "https://"+host+"/sso")
	}
	contact := add(root, "md:ContactPerson", "", "contactType", "technical")
	add(contact, "md:EmailAddress", "mailto:help@"+host)

	a := about{authority: authority, scopes: []string{host}, description: "A generated identity provider",
		names: map[string]string{"en": "University " + placeholder, "de": "Universität " + placeholder}}
	if every(2) {
		a.support = []string{researchAndScholarship}
	}
	if every(3) {
		a.assurance = []string{sirtfi}
	}
	if every(4) {
		a.logo = generatedLogo
	}
	if every(5) {
		a.authority = "https://other-federation.example"
	}
	if every(7) {
		a.pattern = `^(.+\.)?` + regexp.QuoteMeta(host) + `$`
	}
	if every(10) {
		a.categories = []string{hideFromDiscovery}
	}
	a.addTo(root)
	return newEntity(root)
}
