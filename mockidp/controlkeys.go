package mockidp

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"net/http"
	"strconv"
)

// keyRoutes are Okta's, and what Okta has no call for: keys for all apps at
// once, and taking one away.
func (s *Server) keyRoutes(api func(string, func(*call) *apiError)) {
	api("GET /api/v1/apps/{app}/credentials/keys", func(c *call) *apiError {
		return s.withKeys(c, func(st *state, a *App) *apiError { return c.ok(keysJSON(st.ring(a))) })
	})
	api("GET /api/v1/apps/{app}/credentials/keys/{kid}", func(c *call) *apiError {
		return s.withKeys(c, func(st *state, a *App) *apiError {
			if k := findKey(st.ring(a), c.r.PathValue("kid")); k != nil {
				return c.ok(keyJSON(k))
			}
			return notFound(c.r.PathValue("kid"), "JsonWebKey")
		})
	})
	api("POST /api/v1/apps/{app}/credentials/keys/generate", func(c *call) *apiError {
		return s.withKeys(c, func(_ *state, a *App) *apiError {
			return s.generateKey(c, func(years int) (*signingKey, error) { return s.addAppKey(s.keySource(years), a.ID, nil, nil) })
		})
	})
	api("POST /api/v1/apps/{app}/credentials/keys/{kid}/clone", s.cloneKey)
	api("DELETE /control/apps/{app}/keys/{kid}", func(c *call) *apiError {
		return s.withKeys(c, func(_ *state, a *App) *apiError {
			return c.done(s.RetireAppKey(a.ID, c.r.PathValue("kid")), c.r.PathValue("kid"))
		})
	})
	api("GET /control/keys", func(c *call) *apiError { return c.ok(keysJSON(s.state.Load().keys)) })
	api("POST /control/keys/generate", func(c *call) *apiError {
		return s.generateKey(c, func(years int) (*signingKey, error) { return s.addKey(s.keySource(years), nil, nil) })
	})
}

func (s *Server) withKeys(c *call, f func(*state, *App) *apiError) *apiError {
	return s.withApp(c, func(st *state, a *App) *apiError {
		if a.Kind != SAML {
			return notFound(a.ID, "AppCredentials")
		}
		return f(st, a)
	})
}

// generateKey answers with a key whose certificate is valid for as many years
// as the query says.
func (s *Server) generateKey(c *call, add func(years int) (*signingKey, error)) *apiError {
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
func (s *Server) cloneKey(c *call) *apiError {
	return s.withKeys(c, func(st *state, a *App) *apiError {
		kid, target := c.r.PathValue("kid"), c.r.URL.Query().Get("targetAid")
		k := findKey(st.ring(a), kid)
		switch {
		case k == nil:
			return notFound(kid, "JsonWebKey")
		case target == "":
			return invalid("targetAid", "The field cannot be left blank")
		}
		if _, err := s.toRing(target, k); err != nil {
			about := "targetAid"
			if _, none := st.app(target); none != nil {
				about = target
			}
			return fromError(err, about)
		}
		return c.answer(http.StatusCreated, keyJSON(k))
	})
}

func keysJSON(keys []*signingKey) []any {
	out := []any{}
	for _, k := range keys {
		out = append(out, keyJSON(k))
	}
	return out
}

// keyJSON is a JSON Web Key (RFC 7517), as Okta shows one.
func keyJSON(k *signingKey) map[string]any {
	b64 := base64.RawURLEncoding.EncodeToString
	sum := sha256.Sum256(k.cert.Raw)
	out := map[string]any{
		"kid": k.id, "use": "sig", "created": stamp(k.created), "lastUpdated": stamp(k.created), "expiresAt": stamp(k.cert.NotAfter),
		"x5c": []string{x5c(k.cert)}, "x5t#S256": b64(sum[:]),
	}
	switch pub := k.cert.PublicKey.(type) {
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
