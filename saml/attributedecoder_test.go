package saml_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

const basicFormat = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"

// texts is an attribute with text values.
func texts(name string, values ...string) saml.Attribute {
	a := saml.Attribute{Name: name}
	for _, v := range values {
		a.Values = append(a.Values, saml.AttributeValue{Text: v})
	}
	return a
}

func decode[T any](t *testing.T, attributes ...saml.Attribute) (T, error) {
	t.Helper()
	d, err := saml.NewDecoder[T](saml.DecoderConfig{})
	require.NoError(t, err)
	return d.Decode(saml.NewAssertion(saml.NameID{Value: "alice", Format: "f"}, attributes, nil))
}

type role string

type common struct {
	Mail string `saml:"mail"`
}

type everything struct {
	common
	Role     role                  `saml:"role"`
	Groups   []string              `saml:"groups"`
	On       bool                  `saml:"on"`
	Small    int8                  `saml:"small"`
	Big      uint64                `saml:"big"`
	Numbers  []int                 `saml:"numbers"`
	At       time.Time             `saml:"at"`
	Login    saml.NameID           `saml:",nameid"`
	LoginID  string                `saml:",nameid,required"`
	Targeted saml.NameID           `saml:"targeted"`
	Raw      []saml.AttributeValue `saml:"targeted"`
	Scoped   []saml.Scoped         `saml:"scoped"`
	Fallback int                   `saml:"absent,default=-7"`
	Commas   []string              `saml:"absent,default=a,b"`
	Absent   []string              `saml:"absent"`
	Skipped  string                `saml:"-"`
	Plain    string
}

// Obligations: IIP-SP10, IIP-SP11, SDP-SP19.
func TestDecode(t *testing.T) {
	nameID := saml.Element{
		Namespace: "urn:oasis:names:tc:SAML:2.0:assertion", Name: "NameID", Text: "opaque",
		Attributes: []saml.ElementAttribute{
			{Name: "Format", Value: "F"}, {Name: "NameQualifier", Value: "Q"}, {Name: "SPNameQualifier", Value: "S"},
			{Namespace: "urn:other", Name: "Format", Value: "not this"},
		},
	}
	raw := saml.AttributeValue{Elements: []saml.Element{nameID}}
	got, err := decode[everything](t,
		texts("mail", "", "a@example.org"), texts("role", " admin "), texts("groups", "a", "", "b"),
		texts("on", " true\n"), texts("small", "-128"), texts("big", "+18446744073709551615"),
		texts("numbers", "1", " 2"), texts("at", "2026-11-28T01:00:00+01:00"),
		saml.Attribute{Name: "targeted", Values: []saml.AttributeValue{{Nil: true}, raw}},
		texts("scoped", "staff@example.org", "member@example.org"), texts("Plain", "x"), texts("-", "x"),
		saml.Attribute{Name: "x", FriendlyName: "absent", Values: []saml.AttributeValue{{Text: "by FriendlyName"}}},
	)
	require.NoError(t, err)
	require.Equal(t, everything{
		common: common{"a@example.org"}, Role: " admin ", Groups: []string{"a", "b"}, On: true,
		Small: -128, Big: math.MaxUint64, Numbers: []int{1, 2}, At: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC),
		Login: saml.NameID{Value: "alice", Format: "f"}, LoginID: "alice",
		Targeted: saml.NameID{Value: "opaque", Format: "F", NameQualifier: "Q", SPNameQualifier: "S"},
		Raw:      []saml.AttributeValue{raw}, Scoped: []saml.Scoped{{"staff", "example.org"}, {"member", "example.org"}},
		Fallback: -7, Commas: []string{"a,b"},
	}, got)
	require.Equal(t, "staff@example.org", got.Scoped[0].String())
}

// What a program does with a result changes neither the assertion nor the decoder.
func TestDecodeCopies(t *testing.T) {
	type user struct {
		Raw  saml.AttributeValue `saml:"raw"`
		List []string            `saml:"list,default=x"`
	}
	d, err := saml.NewDecoder[user](saml.DecoderConfig{})
	require.NoError(t, err)
	value := saml.AttributeValue{Elements: []saml.Element{{Name: "a", Elements: []saml.Element{{Name: "b"}}}}}
	a := saml.NewAssertion(saml.NameID{}, []saml.Attribute{{Name: "raw", Values: []saml.AttributeValue{value}}}, nil)
	first, err := d.Decode(a)
	require.NoError(t, err)
	first.Raw.Elements[0].Elements[0].Name, first.List[0] = "changed", "changed"
	again, err := d.Decode(a)
	require.NoError(t, err)
	require.Equal(t, "b", again.Raw.Elements[0].Elements[0].Name)
	require.Equal(t, []string{"x"}, again.List)
}

func TestDecodeAlternativesAndFormats(t *testing.T) {
	type user struct {
		Any   string   `saml:"first|second"`
		List  []string `saml:"first|second"`
		Basic string   `saml:"name,format=basic"`
		None  string   `saml:"name,format=unspecified"`
		Own   string   `saml:"name,format=urn:own"`
	}
	named := func(format, value string) saml.Attribute {
		a := texts("name", value)
		a.NameFormat = format
		return a
	}
	got, err := decode[user](t, texts("second", "2", "3"), texts("first", "1"),
		named(basicFormat, "basic"), named("", "none"), named("urn:own", "own"))
	require.NoError(t, err)
	require.Equal(t, user{"1", []string{"1"}, "basic", "none", "own"}, got)

	got, err = decode[user](t, texts("first", ""), texts("second", "2"))
	require.NoError(t, err, "an empty value is none")
	require.Equal(t, user{Any: "2", List: []string{"2"}}, got)
}

func TestDecodeJoinsNameFormats(t *testing.T) {
	basic := texts("a", "2")
	basic.NameFormat = basicFormat
	list, err := decode[struct {
		A []string `saml:"a"`
	}](t, texts("a", "1"), basic)
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2"}, list.A)
	_, err = decode[struct {
		A string `saml:"a"`
	}](t, texts("a", "1"), basic)
	requireReason(t, saml.ReasonAttributeCount, err)
}

type refusing struct {
	Need    string      `saml:"need|must,required"`
	One     string      `saml:"one"`
	Small   int8        `saml:"small"`
	Count   uint        `saml:"count"`
	On      bool        `saml:"on"`
	At      time.Time   `saml:"at"`
	Scoped  saml.Scoped `saml:"scoped"`
	Element saml.NameID `saml:"element"`
}

func TestDecodeRefuses(t *testing.T) {
	elements := func(name string, elements ...saml.Element) saml.Attribute {
		return saml.Attribute{Name: name, Values: []saml.AttributeValue{{Elements: elements}}}
	}
	foreign := saml.Element{Name: "NameID", Text: "x"}
	for _, c := range []struct {
		attribute saml.Attribute
		reason    saml.Reason
		field     string
	}{
		{texts("one", "a", "a"), saml.ReasonAttributeCount, "One"},
		{elements("one", foreign), saml.ReasonAttributeType, "One"},
		{elements("on", foreign), saml.ReasonAttributeType, "On"},
		{elements("scoped", foreign), saml.ReasonAttributeType, "Scoped"},
		{texts("small", "128"), saml.ReasonAttributeType, "Small"},
		{texts("small", "1_0"), saml.ReasonAttributeType, "Small"},
		{texts("small", "0x1"), saml.ReasonAttributeType, "Small"},
		{texts("count", "-1"), saml.ReasonAttributeType, "Count"},
		{texts("count", "++1"), saml.ReasonAttributeType, "Count"},
		{texts("on", "TRUE"), saml.ReasonAttributeType, "On"},
		{texts("at", "2026-11-28"), saml.ReasonAttributeType, "At"},
		{texts("scoped", "staff"), saml.ReasonScope, "Scoped"},
		{texts("scoped", "@example.org"), saml.ReasonScope, "Scoped"},
		{texts("scoped", "staff@"), saml.ReasonScope, "Scoped"},
		{texts("scoped", "a@b@example.org"), saml.ReasonScope, "Scoped"},
		{texts("element", "x"), saml.ReasonAttributeType, "Element"},
		{elements("element", foreign), saml.ReasonAttributeType, "Element"},
		{elements("element", foreign, foreign), saml.ReasonAttributeType, "Element"},
	} {
		got, err := decode[refusing](t, texts("need", "x"), c.attribute)
		requireReason(t, c.reason, err)
		require.Zero(t, got)
		require.ErrorContains(t, err, "attribute "+c.attribute.Name)
		require.ErrorContains(t, err, "field refusing."+c.field)
	}
	for _, empty := range []saml.Attribute{{Name: "other"}, {Name: "need"}, texts("need", ""), elements("must")} {
		_, err := decode[refusing](t, empty)
		requireReason(t, saml.ReasonAttributeMissing, err)
		require.ErrorContains(t, err, "attribute need|must: field refusing.Need")
	}
}

func TestDecodeRequiresTheNameID(t *testing.T) {
	type user struct {
		Login string `saml:",nameid,required"`
	}
	d, err := saml.NewDecoder[user](saml.DecoderConfig{})
	require.NoError(t, err)
	_, err = d.Decode(saml.NewAssertion(saml.NameID{}, nil, nil))
	requireReason(t, saml.ReasonAttributeMissing, err)
}

// A Scoped field has a scope of the identity provider, whether or not the policy lists its
// attribute.
func TestDecodeScopes(t *testing.T) {
	type user struct {
		Roles []saml.Scoped `saml:"roles"`
	}
	d, err := saml.NewDecoder[user](saml.DecoderConfig{})
	require.NoError(t, err)
	of := func(values ...string) error {
		attributes := []saml.Attribute{texts("roles", values...)}
		_, err := d.Decode(saml.NewAssertion(saml.NameID{}, attributes, []string{"example.org"}))
		return err
	}
	require.NoError(t, of("a@example.org", "b@EXAMPLE.org"))
	requireReason(t, saml.ReasonScope, of("a@example.org", "b@example.com"))
	requireReason(t, saml.ReasonLimit, of(strings.Fields(strings.Repeat("a@example.org ", 101))...))
}

// What a session keeps of an assertion is checked with the scopes that its identity
// provider has now.
func TestDecodeAttributes(t *testing.T) {
	type user struct {
		Login string      `saml:",nameid"`
		Role  saml.Scoped `saml:"role"`
	}
	d, err := saml.NewDecoder[user](saml.DecoderConfig{})
	require.NoError(t, err)
	idp, err := saml.ParseIdPMetadata([]byte(idpMetadata(t, "", "signing", "")))
	require.NoError(t, err)
	idp, err = idp.WithPolicy(saml.IdPPolicy{Scopes: []string{"example.org"}})
	require.NoError(t, err)
	of := func(idp *saml.IdP, role string) error {
		got, err := d.DecodeAttributes(idp, saml.NameID{Value: "alice"}, []saml.Attribute{texts("role", role)})
		if err == nil {
			require.Equal(t, user{"alice", saml.Scoped{Value: "staff", Scope: "example.org"}}, got)
		}
		return err
	}
	require.NoError(t, of(idp, "staff@example.org"))
	requireReason(t, saml.ReasonScope, of(idp, "staff@example.com"))
	requireReason(t, saml.ReasonConfig, of(nil, "staff@example.org"))
}

// A signed assertion is checked with the scopes of its identity provider.
func TestDecodeSignedScopes(t *testing.T) {
	idp, err := saml.ParseIdPMetadata([]byte(idpMetadata(t, "", "signing", "")))
	require.NoError(t, err)
	idp, err = idp.WithPolicy(saml.IdPPolicy{Scopes: []string{"example.org"}})
	require.NoError(t, err)
	sp := newSP(t, func(c *saml.Config) { c.IdP = idp })
	type user struct {
		Role saml.Scoped `saml:"role"`
	}
	d, err := saml.NewDecoder[user](saml.DecoderConfig{})
	require.NoError(t, err)
	for scope, reason := range map[string]saml.Reason{"example.org": "", "example.com": saml.ReasonScope} {
		xml := doc{Attributes: `<saml:Attribute Name="role"><saml:AttributeValue>staff@` + scope +
			`</saml:AttributeValue></saml:Attribute>`}.xml(t)
		a, err := sp.VerifyXML(xml, saml.VerifyOptions{ACS: usACS, Unsolicited: true})
		require.NoError(t, err)
		got, err := d.Decode(a)
		if reason != "" {
			requireReason(t, reason, err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, user{saml.Scoped{Value: "staff", Scope: scope}}, got)
	}
}

// FuzzDecode: no panic; an error has one of the documented Reasons and no result; a result
// is made of the values, and is the same again.
func FuzzDecode(f *testing.F) {
	f.Add("groups", "a", "b", "mail")
	f.Add("scoped", "staff@example.org", "staff@other.example", "example.org")
	f.Add("at", "2026-11-28T24:00:00.000Z", "", "on")
	f.Add("small", " +1 ", "-129", "numbers")
	d, err := saml.NewDecoder[everything](saml.DecoderConfig{})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, name, one, two, other string) {
		attributes := []saml.Attribute{
			texts(name, one, two), texts(other, two),
			{Name: "targeted", Values: []saml.AttributeValue{{Elements: []saml.Element{{Name: one, Text: two}}}}},
		}
		if name == "targeted" || one != two {
			attributes = attributes[:2]
		}
		a := saml.NewAssertion(saml.NameID{Value: "alice"}, attributes, []string{"example.org"})
		got, err := d.Decode(a)
		if err != nil {
			var e *saml.Error
			require.True(t, errors.As(err, &e))
			require.Contains(t, []saml.Reason{
				saml.ReasonAttributeCount, saml.ReasonAttributeType, saml.ReasonScope,
			}, e.Reason)
			require.Zero(t, got)
			return
		}
		for _, value := range append(got.Groups, got.Mail, string(got.Role)) {
			require.Contains(t, []string{"", one, two}, value)
		}
		for _, s := range got.Scoped {
			require.Contains(t, []string{one, two}, s.String())
			require.Equal(t, "example.org", strings.ToLower(s.Scope))
		}
		again, err := d.Decode(a)
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}

// The cost is that of the attributes: not of attributes times fields.
func BenchmarkDecode(b *testing.B) {
	d, err := saml.NewDecoder[everything](saml.DecoderConfig{})
	require.NoError(b, err)
	for _, n := range []int{10, 1000, 100_000} {
		attributes := []saml.Attribute{texts("mail", "a@example.org")}
		for i := range n {
			attributes = append(attributes, texts(fmt.Sprint("a", i), "x"))
		}
		groups := texts("groups")
		for range n {
			groups.Values = append(groups.Values, saml.AttributeValue{Text: "x"})
		}
		a := saml.NewAssertion(saml.NameID{Value: "alice"}, append(attributes, groups), nil)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decode(a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The error names all missing attributes as people do, and the one that can't be used.
func TestDecodeNamesAttributes(t *testing.T) {
	type user struct {
		Mail  string        `saml:"urn:oid:0.9.2342.19200300.100.1.3|email,required"`
		Count int           `saml:"count"`
		Name  string        `saml:"displayName,required"`
		Staff []saml.Scoped `saml:"eduPersonScopedAffiliation,required"`
		Again []string      `saml:"displayName,required"`
		Own   string        `saml:"https://one.example/own,required"`
		Login string        `saml:",nameid,required"`
	}
	d, err := saml.NewDecoder[user](saml.DecoderConfig{Names: []saml.Names{
		saml.EduPersonNames(), {"displayName": {"urn:own:name"}},
	}})
	require.NoError(t, err)
	of := func(attributes ...saml.Attribute) *saml.Error {
		_, err := d.Decode(saml.NewAssertion(saml.NameID{}, attributes, nil))
		return errorOf(t, err)
	}
	mail := saml.AttributeName{Name: "urn:oid:0.9.2342.19200300.100.1.3", FriendlyName: "mail"}
	e := of(texts("email", "a@one.example"), texts("count", "x"))
	require.Equal(t, saml.ReasonAttributeType, e.Reason, "the first error counts")
	require.Equal(t, []saml.AttributeName{{Name: "count"}}, e.Attributes)

	e = of()
	require.Equal(t, saml.ReasonAttributeMissing, e.Reason)
	require.Equal(t, []saml.AttributeName{
		mail, {Name: "urn:own:name", FriendlyName: "displayName"},
		{Name: "urn:oid:1.3.6.1.4.1.5923.1.1.1.9", FriendlyName: "eduPersonScopedAffiliation"},
		{Name: "https://one.example/own"}, {FriendlyName: "NameID"},
	}, e.Attributes)
	require.ErrorContains(t, e,
		"attribute urn:oid:0.9.2342.19200300.100.1.3|email: field user.Mail; displayName is missing, too;")
	require.Equal(t, "https://one.example/own", e.Attributes[3].String())

	_, err = saml.NewAssertion(saml.NameID{}, nil, nil).PairwiseID()
	pairwise := saml.AttributeName{Name: saml.AttributePairwiseID, FriendlyName: "pairwise-id"}
	require.Equal(t, []saml.AttributeName{pairwise}, errorOf(t, err).Attributes)
}

func errorOf(t *testing.T, err error) *saml.Error {
	t.Helper()
	var e *saml.Error
	require.ErrorAs(t, err, &e)
	return e
}
