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

// keyRoutes has Okta's routes for keys. Under /control/ it has two that Okta lacks: keys of all apps, and retiring a
// key.
func keyRoutes(api router) {
	ofApp := func(pattern string, h handler) {
		api(pattern, func(c *call) *apiError {
			if c.app.Kind != mockidp.SAML {
				return notFound(c.app.ID, "AppCredentials")
			}
			return h(c)
		})
	}
	ofApp("GET /api/v1/apps/{app}/credentials/keys", func(c *call) *apiError {
		return c.ok(shown(c.keys(c.app.ID), keyJSON))
	})
	ofApp("GET /api/v1/apps/{app}/credentials/keys/{kid}", func(c *call) *apiError {
		if k, ok := c.findKey(c.app.ID, c.kid()); ok {
			return c.ok(keyJSON(k))
		}
		return notFound(c.kid(), "JsonWebKey")
	})
	ofApp("POST /api/v1/apps/{app}/credentials/keys/generate", func(c *call) *apiError {
		return c.generateKey(func(years int) (mockidp.Key, error) { return c.idp.GenerateAppKey(c.app.ID, years) })
	})
	ofApp("POST /api/v1/apps/{app}/credentials/keys/{kid}/clone", (*call).cloneKey)
	ofApp("DELETE /control/apps/{app}/keys/{kid}", func(c *call) *apiError {
		return c.done(c.idp.RetireAppKey(c.app.ID, c.kid()), c.kid())
	})
	api("GET /control/keys", func(c *call) *apiError { return c.ok(shown(c.idp.Keys(), keyJSON)) })
	api("POST /control/keys/generate", func(c *call) *apiError { return c.generateKey(c.idp.GenerateKey) })
	api("POST /control/keys/{kid}/sign", func(c *call) *apiError { return c.done(c.idp.SignWith(c.kid()), c.kid()) })
	api("DELETE /control/keys/{kid}", func(c *call) *apiError { return c.done(c.idp.RetireKey(c.kid()), c.kid()) })
}

func (c *call) kid() string { return c.r.PathValue("kid") }

// generateKey answers with a new key; validityYears is the lifetime of its certificate.
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

// cloneKey adds a key of this app to the app that targetAid names.
func (c *call) cloneKey() *apiError {
	target := c.r.URL.Query().Get("targetAid")
	if _, ok := c.findKey(c.app.ID, c.kid()); !ok {
		return notFound(c.kid(), "JsonWebKey")
	}
	if target == "" {
		return invalid("targetAid", "The field cannot be left blank")
	}
	k, err := c.idp.CloneKey(c.app.ID, c.kid(), target)
	if err != nil {
		about := "targetAid"
		if _, ok := c.App(target); !ok {
			about = target
		}
		return fromError(err, about)
	}
	return c.answer(http.StatusCreated, keyJSON(k))
}

// keyJSON is a JSON Web Key (RFC 7517), as Okta shows one.
func keyJSON(k mockidp.Key) object {
	b64 := base64.RawURLEncoding.EncodeToString
	sum := sha256.Sum256(k.Certificate.Raw)
	out := object{
		"kid": k.ID, "use": "sig", "created": stamp(k.Created), "lastUpdated": stamp(k.Created),
		"expiresAt": stamp(k.Certificate.NotAfter), "x5c": []string{x5c(k.Certificate)}, "x5t#S256": b64(sum[:]),
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
