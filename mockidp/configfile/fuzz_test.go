package configfile_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/configfile"
)

// An error comes with the zero Config. What was read is written and read back the same.
func FuzzRead(f *testing.F) {
	sample, err := os.ReadFile("../../examples/mockidp/config.json")
	require.NoError(f, err)
	f.Add(sample)
	for _, s := range []string{"{}", "null", `{"users": [{"attributes": {"": ["a"]}}]}`, `{"apps": [{"encrypt": {}}]}`,
		`{"apps": [{"identityCenter": {"acsURLs": ["", ""]}}]}`, `{"seed": 18446744073709551615}`,
		`{"faults": [{"kind": "delay", "for": "-1ns", "chance": 1e-9}]}`, `{"org": "\ud800"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		c, err := configfile.Read(doc)
		if err != nil {
			require.Equal(t, mockidp.Config{}, c)
			var e *mockidp.Error
			require.ErrorAs(t, err, &e)
			return
		}
		written, err := configfile.Write(c, configfile.Options{PrivateKeys: true})
		require.NoError(t, err)
		again, err := configfile.Read(written)
		require.NoError(t, err, "%s", written)
		twice, err := configfile.Write(again, configfile.Options{PrivateKeys: true})
		require.NoError(t, err)
		require.Equal(t, string(written), string(twice))
	})
}
