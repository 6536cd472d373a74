package configfile_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/configfile"
)

// titles are the headings of CONFIG.md.
var titles = map[reflect.Type]string{
	reflect.TypeFor[mockidp.Config]():           "The object",
	reflect.TypeFor[mockidp.KeyPair]():          "A further key",
	reflect.TypeFor[mockidp.User]():             "A user",
	reflect.TypeFor[mockidp.Group]():            "A group",
	reflect.TypeFor[mockidp.App]():              "An app",
	reflect.TypeFor[mockidp.ACS]():              "An assertion consumer service",
	reflect.TypeFor[mockidp.IdentityCenter]():   "The form of AWS IAM Identity Center",
	reflect.TypeFor[mockidp.Attribute]():        "An attribute statement",
	reflect.TypeFor[mockidp.GroupAttribute]():   "A group statement",
	reflect.TypeFor[mockidp.Encryption]():       "Encryption",
	reflect.TypeFor[mockidp.Fault]():            "A fault",
	reflect.TypeFor[mockidp.Federation]():       "The federation",
	reflect.TypeFor[mockidp.StandingMutation](): "An attack",
}

// The page has a row for each field, in the order of the Go type, with all words of a choice.
func TestThePageHasEveryField(t *testing.T) {
	raw, err := os.ReadFile("../../examples/mockidp/CONFIG.md")
	require.NoError(t, err)
	row := regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\| (.+) \\| (.+) \\|$")
	seen := map[reflect.Type]bool{}
	var check func(reflect.Type)
	check = func(of reflect.Type) {
		for !configfile.IsText(of) && (of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice) {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || configfile.IsText(of) || seen[of] {
			return
		}
		seen[of] = true
		_, section, found := strings.Cut(string(raw), "\n## "+titles[of]+"\n")
		require.True(t, found, "a section for %s", of)
		section, _, _ = strings.Cut(section, "\n## ")
		rows := row.FindAllStringSubmatch(section, -1)
		names, types := configfile.Keys(of)
		var documented []string
		for _, m := range rows {
			documented = append(documented, m[1])
		}
		require.Equal(t, names, documented, titles[of])
		for i, m := range rows {
			for _, word := range configfile.Words(types[i]) {
				if word != "" {
					assert.Contains(t, m[2], "`"+word+"`", "%s of %s", m[1], titles[of])
				}
			}
			if of == reflect.TypeFor[mockidp.Fault]() && m[1] == "kind" {
				for _, kind := range mockidp.FaultKinds() {
					assert.Contains(t, m[2], "`"+string(kind)+"`")
				}
			}
			check(types[i])
		}
	}
	check(reflect.TypeFor[mockidp.Config]())
	require.Len(t, seen, len(titles))
}
