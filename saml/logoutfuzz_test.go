package saml_test

import (
	"crypto"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

const successful = `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>`

// FuzzVerifyLogout: no input is accepted unless the identity provider signed it, as the message that it is, and an
// error returns nothing. What was accepted is accepted again, with the same values.
func FuzzVerifyLogout(f *testing.F) {
	sp := newSP(f, withLogout(f), func(c *saml.Config) { c.Rand = zeros{} }) // so that each process has the same ID
	asked, err := sp.NewLogoutRequest(saml.LogoutOptions{NameID: saml.NameID{Value: "alice"}, URL: euLogout})
	require.NoError(f, err)
	answer := func(key crypto.Signer) string {
		return logoutXML(f, "LogoutResponse", `InResponseTo="`+asked.ID()+`"`, successful, key)
	}
	for _, s := range [][2]string{
		{request(f, nil), request(f, keys().idp)}, {answer(nil), answer(keys().idp)},
	} {
		for i, param := range []string{"SAMLRequest", "SAMLResponse"} {
			f.Add(uint8(3*i), signedRedirect(param, s[0], "state", rsaSHA256, keys().idp, crypto.SHA256, url.QueryEscape))
			f.Add(uint8(3*i+1), string(post(s[1]).Message))
			f.Add(uint8(3*i+2), string(soap(s[1]).Message))
		}
	}
	f.Add(uint8(0), "SAMLRequest=%53&samlrequest&SigAlg=&Signature=")
	f.Fuzz(func(t *testing.T, kind uint8, input string) {
		in := saml.LogoutMessage{Message: []byte(input), Query: input}
		in.Binding = []string{saml.HTTPRedirect, saml.HTTPPost, saml.SOAP}[kind%3]
		if kind/3%2 == 0 {
			r, err := sp.VerifyLogoutRequest(in)
			if err != nil {
				require.Nil(t, r)
				return
			}
			require.Equal(t, "_l1", r.ID())
			require.Equal(t, "alice@example.com", r.NameID().Value)
			require.Equal(t, []string{"s1", "s2"}, r.SessionIndexes())
			again, err := sp.VerifyLogoutRequest(in)
			require.NoError(t, err)
			require.Equal(t, r, again)
			return
		}
		r, err := sp.VerifyLogoutResponse(in)
		if err != nil {
			require.Nil(t, r)
			return
		}
		require.True(t, r.Success())
		require.Equal(t, asked.ID(), r.InResponseTo())
		require.Equal(t, euLogout, r.Endpoint().URL)
		require.NoError(t, r.CheckRequest(asked.Record()))
	})
}

// zeros is not random.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
