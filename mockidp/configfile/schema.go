package configfile

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/meridian-saml/meridian/mockidp"
)

// outside are the fields of mockidp.Config that a file doesn't have: code, and what only code can answer.
var outside = []string{"Mutate", "MutateMessage", "Mutations", "MutationInfo", "Now", "Rand", "Logger"}

// renamed are the keys that aren't the field's name.
var renamed = map[string]string{"StandingMutations": "attacks", "Unlisted": "unlistedACS"}

// words are the words of each choice, in the order of its constants.
var words = map[reflect.Type][]string{
	reflect.TypeFor[mockidp.Kind]():            {"saml", "bookmark"},
	reflect.TypeFor[mockidp.Profile]():         {"okta", "entra"},
	reflect.TypeFor[mockidp.UnlistedACS]():     {"reject", "useDefault"},
	reflect.TypeFor[mockidp.Filter]():          {"", "startsWith", "equals", "contains", "regex"},
	reflect.TypeFor[mockidp.Signing]():         {"both", "response", "assertion", "artifactResponse"},
	reflect.TypeFor[mockidp.LogoutBinding]():   {"redirect", "post"},
	reflect.TypeFor[mockidp.LogoutChannel]():   {"front", "back", "frame"},
	reflect.TypeFor[mockidp.ResponseBinding](): {"post", "artifact", "artifactForm"},
	reflect.TypeFor[mockidp.Refusals]():        {"page", "status"},
	reflect.TypeFor[mockidp.UserStatus]():      {"active", "lockedOut", "suspended", "deprovisioned", "staged"},
}

// field is a field of a struct, and its key in the file.
type field struct {
	name  string
	index int
}

func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		if t != reflect.TypeFor[mockidp.Config]() || !slices.Contains(outside, f.Name) {
			out = append(out, field{cmp.Or(renamed[f.Name], lowerCamel(f.Name)), i})
		}
	}
	return out
}

// lowerCamel returns a field's key: NameIDFormat is nameIDFormat, ID is id, and ACSURLs is acsURLs.
func lowerCamel(name string) string {
	if rest, ok := strings.CutPrefix(name, "ACS"); ok {
		return "acs" + rest
	}
	r := []rune(name)
	for i := range r {
		if i > 0 && i+1 < len(r) && unicode.IsLower(r[i+1]) || !unicode.IsUpper(r[i]) {
			break
		}
		r[i] = unicode.ToLower(r[i])
	}
	return string(r)
}

// text is a type that the file writes as text in a form of its own.
type text struct {
	parse  func(string) (any, error)
	format func(any) (string, error)
}

func textOf(t reflect.Type) (text, bool) {
	if all, ok := words[t]; ok {
		return wordText(t, all), true
	}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return text{
			func(s string) (any, error) { return time.ParseDuration(s) },
			func(v any) (string, error) { return v.(time.Duration).String(), nil },
		}, true
	case reflect.TypeFor[*x509.Certificate]():
		return text{
			func(s string) (any, error) { return ParseCertificate([]byte(s)) },
			func(v any) (string, error) { return string(FormatCertificate(v.(*x509.Certificate))), nil },
		}, true
	case reflect.TypeFor[crypto.Signer]():
		return text{
			func(s string) (any, error) { return ParseKey([]byte(s)) },
			func(v any) (string, error) {
				b, err := FormatKey(v.(crypto.Signer))
				return string(b), err
			},
		}, true
	}
	return text{}, false
}

func wordText(t reflect.Type, all []string) text {
	return text{
		func(s string) (any, error) {
			i := slices.Index(all, s)
			if i < 0 {
				return nil, fmt.Errorf("want one of %q, got %.40q", all, s)
			}
			return reflect.ValueOf(i).Convert(t).Interface(), nil
		},
		func(v any) (string, error) {
			i := reflect.ValueOf(v).Int()
			if i < 0 || i >= int64(len(all)) {
				return "", fmt.Errorf("the value %d has no word", i)
			}
			return all[i], nil
		},
	}
}
