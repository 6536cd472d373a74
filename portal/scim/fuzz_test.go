package scim_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/scim"
)

// FuzzFilter: a filter is answered or refused with its scimType, and a further term
// only narrows the result.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`userName eq "alice@example.com"`, `id eq "u-1" and active eq true`, `active eq "False"`, `displayName eq "x\"y"`,
		`urn:ietf:params:scim:schemas:core:2.0:User:userName eq "\u0061lice@example.com"`, `members eq "u-1"`,
		`emails[type eq "work"]`, `userName eq "x" or`, `((`, "\xff",
		`emails.value eq "ALICE@example.com"  and  name.givenName EQ "alice"`,
	} {
		f.Add(s)
	}
	r := newRig(f, seed(), "us-east-1")
	f.Fuzz(func(t *testing.T, s string) {
		with := func(term string) string {
			if strings.Trim(s, " ") == "" { // no filter
				return term
			}
			return "(" + s + ") and " + term
		}
		for _, endpoint := range []string{"/Users", "/Groups"} {
			out := r.ask(t, "GET", endpoint+"?"+filter(s), "")
			switch out.Code {
			case http.StatusOK:
			case http.StatusBadRequest:
				require.Contains(t, []any{"invalidFilter", "tooMany"}, out.body["scimType"])
				continue
			default:
				require.Equal(t, http.StatusRequestEntityTooLarge, out.Code)
				require.Greater(t, len(filter(s)), 8000)
				continue
			}
			all := found(t, out.body)
			for _, id := range []string{"u-1", "u-2", "g-1"} {
				narrow := r.ask(t, "GET", endpoint+"?"+filter(with(`id eq "`+id+`"`)), "")
				if narrow.Code == http.StatusBadRequest {
					require.Equal(t, "tooMany", narrow.body["scimType"])
					continue
				}
				want := []string{}
				if slices.Contains(all, id) {
					want = []string{id}
				}
				require.Equal(t, want, found(t, narrow.body))
			}
		}
	})
}

// FuzzFilterGrammar: a filter that is parsed and printed parses to the same tree.
func FuzzFilterGrammar(f *testing.F) {
	for _, s := range []string{
		`userName eq "alice@example.com"`, `a eq "1" or b ne "2" and not (c pr)`,
		`(a eq "1" or b eq "2") and (c eq "3" and d eq "4")`,
		`emails[type eq "work"].value eq "x"`, `emails[type eq "work" or primary eq true].value sw "x"`,
		`emails[a eq "1" and b eq "2"].c pr`,
		`urn:ietf:params:scim:schemas:core:2.0:User:active EQ False`, `a eq null or a eq -1.5e3 or a eq "\ud800\u2028<&>"`,
		`((((a pr))))`,
		`not(not(a[not (b eq "]")]))`, `not eq "x"`, `a eq 00u1`, `a[`, ``, ` `, "\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		read, err := scim.ParseFilter(s)
		if err != nil {
			require.Nil(t, read)
			require.Contains(t, []scim.Reason{scim.ReasonInvalidFilter, scim.ReasonTooMany}, err.Reason)
			return
		}
		written := scim.PrintFilter(read)
		again, err := scim.ParseFilter(written)
		if err != nil && len(written) > 2048 { // escapes are longer
			return
		}
		require.Nil(t, err, "%q is written as %q", s, written)
		require.Equal(t, read, again, "%q is written as %q", s, written)
		require.Equal(t, written, scim.PrintFilter(again))
	})
}

// FuzzPatch: a PATCH is carried out as a whole or not at all, changes only its
// target, and can be repeated.
func FuzzPatch(f *testing.F) {
	for _, ops := range []string{
		`{"op":"replace","value":{"active":false}}`, `{"op":"Replace","path":"active","value":"False"}`,
		`{"op":"replace","path":"emails[type eq \"work\"].value","value":"x@example.com"},{"op":"remove","path":"name.familyName"}`,
		`{"op":"add","path":"members","value":[{"value":"u-1"},{"value":"u-2"}]}`,
		`{"op":"remove","path":"members[value eq \"u-1\"]"}`,
		`{"op":"Remove","path":"members","value":[{"value":"u-2"}]}`,
		`{"op":"replace","value":{"id":"g-1","displayName":"Renamed"}}`,
		`{"op":"replace","path":"userName","value":"BOB@example.com"}`,
		`{"op":"replace","value":{"name":{"givenName":null}}}`,
		`{"op":"replace","value":{"urn:ietf:params:scim:schemas:core:2.0:User":{"active":false}}}`,
		`{"op":"replace","value":{" active":false}}`,
		`{"op":"remove","path":"members[value eq \"u-1\" or not (value sw \"u\")]"}`,
		`{"op":"add","path":"emails[not (type ne \"work\")].value","value":"x"}`,
		`{"op":"replace","path":"members","value":null}`, `{"op":"add","path":"urn:x:y.z","value":[[[[]]]]}`,
	} {
		f.Add(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + ops + `]}`)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, target := range []string{"/Users/u-1", "/Groups/g-1"} {
			r := newRig(t, seed(), "us-east-1")
			before, snapshot := r.view.Snapshot().Data(), r.view.Snapshot()
			code := r.ask(t, "PATCH", target, body).Code
			after := r.view.Snapshot().Data()
			if code >= 300 {
				require.Less(t, code, 500)
				require.Same(t, snapshot, r.view.Snapshot())
				continue
			}
			if strings.HasPrefix(target, "/Users") {
				require.Equal(t, before.Groups, after.Groups)
				require.Equal(t, before.Users[1:], after.Users[1:])
				require.Equal(t, "u-1", after.Users[0].ID)
				continue
			}
			require.Equal(t, before.Users, after.Users)
			require.Equal(t, before.Groups[1:], after.Groups[1:])
			require.Equal(t, "g-1", after.Groups[0].ID)
			require.Less(t, r.ask(t, "PATCH", target, body).Code, 300)
			after.Groups[0].Dates = center.Dates{}
			require.Equal(t, sorted(after.Groups[0]), sorted(r.group(t, "g-1")))
		}
	})
}

func sorted(g center.Group) center.Group {
	slices.Sort(g.Members)
	return g
}
