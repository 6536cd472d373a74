package saml_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

func refusedType[T any](t *testing.T, want string) {
	t.Helper()
	d, err := saml.NewDecoder[T](saml.DecoderConfig{})
	require.Nil(t, d)
	requireReason(t, saml.ReasonConfig, err)
	require.ErrorContains(t, err, want)
}

// A wrong type is found when the program starts.
func TestNewDecoderRefuses(t *testing.T) {
	refusedType[string](t, "not a struct")
	refusedType[*common](t, "not a struct")
	refusedType[struct{ A string }](t, "no field with a saml tag")
	refusedType[struct {
		a string `saml:"a"` //nolint:unused // that it is unexported is the test
	}](t, "a: is not exported")
	refusedType[struct {
		*common
	}](t, "Mail: is in an embedded pointer")
	refusedType[struct {
		A string `saml:""`
	}](t, "A: the name of an attribute is empty")
	refusedType[struct {
		A string `saml:"a|"`
	}](t, "is empty")
	refusedType[struct {
		A string `saml:"a,omitempty"`
	}](t, `unknown option "omitempty"`)
	refusedType[struct {
		A string `saml:"a,format=unknown"`
	}](t, "unknown option")
	refusedType[struct {
		A string `saml:"a,"`
	}](t, "unknown option")
	refusedType[struct {
		A string `saml:"a,default="`
	}](t, "default is empty")
	refusedType[struct {
		A string `saml:"a,required,default=x"`
	}](t, "is required and has a default")
	refusedType[struct {
		A int `saml:"a,default=x"`
	}](t, "is not an integer")
	refusedType[struct {
		A saml.Scoped `saml:"a,default=a@b"`
	}](t, "can't have a default")
	refusedType[struct {
		A string `saml:"a,nameid"`
	}](t, "nameid takes no name")
	refusedType[struct {
		A []string `saml:",nameid"`
	}](t, "needs the type NameID or string")
	refusedType[struct {
		A time.Duration `saml:"a"`
	}](t, "not supported")
	refusedType[struct {
		A []byte `saml:"a"`
	}](t, "not supported")
	refusedType[struct {
		A *string `saml:"a"`
	}](t, "not supported")
	refusedType[struct {
		A [][]string `saml:"a"`
	}](t, "not supported")
	refusedType[struct {
		A any `saml:"a"`
	}](t, "not supported")
	refusedType[struct {
		A float64 `saml:"a"`
	}](t, "not supported")
}

func TestDecoderNames(t *testing.T) {
	type user struct {
		Mail string `saml:"mail,required"`
		Team string `saml:"team"`
	}
	d, err := saml.NewDecoder[user](saml.DecoderConfig{Names: []saml.Names{
		{"mail": {"urn:mail", "urn:old-mail"}}, {"mail": {"urn:claim"}},
	}})
	require.NoError(t, err)
	for _, name := range []string{"urn:mail", "urn:old-mail", "urn:claim"} {
		attributes := []saml.Attribute{texts(name, "a"), texts("team", "b")}
		got, err := d.Decode(saml.NewAssertion(saml.NameID{}, attributes, nil))
		require.NoError(t, err)
		require.Equal(t, user{"a", "b"}, got)
	}
	_, err = d.Decode(saml.NewAssertion(saml.NameID{}, []saml.Attribute{texts("mail", "a")}, nil))
	requireReason(t, saml.ReasonAttributeMissing, err)

	_, err = saml.NewDecoder[user](saml.DecoderConfig{Names: []saml.Names{{"mail": {""}}}})
	requireReason(t, saml.ReasonConfig, err)
}
