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

// Okta keeps keys for each app. Here all apps share the Server's: what is
// generated for one is published by all, and an app signs with it once its
// credentials.signing.kid says so.
func (s *Server) keyRoutes(api func(string, func(*call) *apiError)) {
	api("GET /api/v1/apps/{app}/credentials/keys", func(c *call) *apiError {
		return s.withKeys(c, func(st *state) *apiError {
			out := []any{}
			for _, k := range st.keys {
				out = append(out, s.keyJSON(k))
			}
			return c.ok(out)
		})
	})
	api("GET /api/v1/apps/{app}/credentials/keys/{kid}", func(c *call) *apiError {
		return s.withKeys(c, func(st *state) *apiError {
			if k := st.key(c.r.PathValue("kid")); k != nil {
				return c.ok(s.keyJSON(k))
			}
			return notFound(c.r.PathValue("kid"), "JsonWebKey")
		})
	})
	api("POST /api/v1/apps/{app}/credentials/keys/generate", func(c *call) *apiError {
		return s.withKeys(c, func(*state) *apiError {
			years, err := strconv.Atoi(c.r.URL.Query().Get("validityYears"))
			if err != nil || years < 2 || years > 10 {
				return invalid("validityYears", "a number from 2 to 10")
			}
			from := s.keySource()
			from.years = years
			key, aerr := s.addKey(from, nil, nil)
			if aerr != nil {
				return fromError(aerr, "key")
			}
			return c.answer(http.StatusCreated, s.keyJSON(s.state.Load().key(key.ID)))
		})
	})
}

func (s *Server) withKeys(c *call, f func(*state) *apiError) *apiError {
	return s.withApp(c, func(st *state, a *App) *apiError {
		if a.Kind != SAML {
			return notFound(a.ID, "AppCredentials")
		}
		return f(st)
	})
}

// keyJSON is a JSON Web Key (RFC 7517), as Okta shows one.
func (s *Server) keyJSON(k *signingKey) map[string]any {
	b64 := base64.RawURLEncoding.EncodeToString
	sum := sha256.Sum256(k.cert.Raw)
	out := map[string]any{
		"kid": k.id, "use": "sig", "created": stamp(s.began), "lastUpdated": stamp(s.began), "expiresAt": stamp(k.cert.NotAfter),
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
