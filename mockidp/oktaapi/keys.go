package oktaapi

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"net/http"
	"strconv"

	"github.com/meridian-saml/meridian/mockidp"
)

// keyRoutes are Okta's, and what Okta has no call for: keys for all apps at
// once, and taking one away.
func (s *API) keyRoutes(api func(string, handler)) {
	api("GET /api/v1/apps/{app}/credentials/keys", s.withKeys(func(c *call, v view, a *mockidp.App) *apiError {
		return c.ok(shown(v.keys(a), keyJSON))
	}))
	api("GET /api/v1/apps/{app}/credentials/keys/{kid}", s.withKeys(func(c *call, v view, a *mockidp.App) *apiError {
		if k, ok := v.findKey(a, c.r.PathValue("kid")); ok {
			return c.ok(keyJSON(k))
		}
		return notFound(c.r.PathValue("kid"), "JsonWebKey")
	}))
	api("POST /api/v1/apps/{app}/credentials/keys/generate", s.withKeys(func(c *call, _ view, a *mockidp.App) *apiError {
		return c.generateKey(func(years int) (mockidp.Key, error) { return s.idp.GenerateAppKey(a.ID, years) })
	}))
	api("POST /api/v1/apps/{app}/credentials/keys/{kid}/clone", s.withKeys(s.cloneKey))
	api("DELETE /control/apps/{app}/keys/{kid}", s.withKeys(func(c *call, _ view, a *mockidp.App) *apiError {
		return c.done(s.idp.RetireAppKey(a.ID, c.r.PathValue("kid")), c.r.PathValue("kid"))
	}))
	api("GET /control/keys", func(c *call) *apiError { return c.ok(shown(s.idp.Keys(), keyJSON)) })
	api("POST /control/keys/generate", func(c *call) *apiError { return c.generateKey(s.idp.GenerateKey) })
}

// withKeys is withApp for SAML apps.
func (s *API) withKeys(h func(*call, view, *mockidp.App) *apiError) handler {
	return s.withApp(func(c *call, v view, a *mockidp.App) *apiError {
		if a.Kind != mockidp.SAML {
			return notFound(a.ID, "AppCredentials")
		}
		return h(c, v, a)
	})
}

// generateKey answers with a key whose certificate is valid for as many years
// as the query says.
func (c *call) generateKey(add func(years int) (mockidp.Key, error)) *apiError {
	years, err := strconv.Atoi(c.r.URL.Query().Get("validityYears"))
	if err != nil || years < 2 || years > 10 {
		return invalid("validityYears", "a number from 2 to 10")
	}
	k, err := add(years)
	if err != nil {
		return fromError(err, "keys")
	}
	return c.answer(http.StatusCreated, keyJSON(k))
}

// cloneKey gives the app that targetAid names a key of this one.
func (s *API) cloneKey(c *call, v view, a *mockidp.App) *apiError {
	kid, target := c.r.PathValue("kid"), c.r.URL.Query().Get("targetAid")
	_, ok := v.findKey(a, kid)
	switch {
	case !ok:
		return notFound(kid, "JsonWebKey")
	case target == "":
		return invalid("targetAid", "The field cannot be left blank")
	}
	k, err := s.idp.CloneKey(a.ID, kid, target)
	if err != nil {
		about := "targetAid"
		if _, there := v.App(target); !there {
			about = target
		}
		return fromError(err, about)
	}
	return c.answer(http.StatusCreated, keyJSON(k))
}

// keyJSON is a JSON Web Key (RFC 7517), as Okta shows one.
func keyJSON(k mockidp.Key) map[string]any {
	b64 := base64.RawURLEncoding.EncodeToString
	sum := sha256.Sum256(k.Certificate.Raw)
	out := map[string]any{
		"kid": k.ID, "use": "sig", "created": stamp(k.Created), "lastUpdated": stamp(k.Created), "expiresAt": stamp(k.Certificate.NotAfter),
		"x5c": []string{x5c(k.Certificate)}, "x5t#S256": b64(sum[:]),
	}
	switch pub := k.Certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		out["kty"], out["n"], out["e"] = "RSA", b64(pub.N.Bytes()), b64(big.NewInt(int64(pub.E)).Bytes())
	case *ecdsa.PublicKey:
		out["kty"], out["crv"] = "EC", pub.Curve.Params().Name
		if point, err := pub.Bytes(); err == nil { // 4, x, y (SEC 1, 2.3.3)
			half := len(point) / 2
			out["x"], out["y"] = b64(point[1:1+half]), b64(point[1+half:])
		}
	}
	return out
}
