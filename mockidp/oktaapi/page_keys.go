package oktaapi

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/configfile"
)

func keyPageRoutes(get, post pageRouter) {
	get("/keys", func(v *visit) { v.keysPage(http.StatusOK, "") })
	post("/keys", (*visit).changeKey)
	get("/keys/{kid}/remove", func(v *visit) {
		v.confirmKey("/keys", v.r.PathValue("kid"), "It leaves the metadata of all apps.")
	})
	get("/keys/{kid}/certificate", func(v *visit) {
		kid := v.r.PathValue("kid")
		all := v.everyKey()
		i := slices.IndexFunc(all, func(k mockidp.Key) bool { return k.ID == kid })
		if i < 0 {
			v.notFound("key")
			return
		}
		v.download("signing-"+kid[:min(len(kid), 8)]+".pem", "application/x-pem-file", certificatePEM(all[i]))
	})
}

// shownKey is a key, the apps that it signs for, and those whose metadata has it.
type shownKey struct {
	ID, SignsFor, In string
	Signing, Own     bool // for apps without a key of their own; the Server's
	Until            time.Time
}

// everyKey returns the Server's keys, then those of single apps.
func (v view) everyKey() []mockidp.Key {
	all := v.Keys()
	for _, a := range v.samlApps() {
		for _, k := range v.keys(a.ID) {
			if !slices.ContainsFunc(all, func(other mockidp.Key) bool { return other.ID == k.ID }) {
				k.Signing = false
				all = append(all, k)
			}
		}
	}
	return all
}

func (v view) shownKeys() []shownKey {
	apps, own := v.samlApps(), v.Keys()
	return shown(v.everyKey(), func(k mockidp.Key) shownKey {
		signs := func(a mockidp.App) bool { return v.signingKey(a.ID) == k.ID }
		in := func(a mockidp.App) bool { _, ok := v.findKey(a.ID, k.ID); return ok || signs(a) }
		return shownKey{ID: k.ID, SignsFor: labels(apps, signs), In: labels(apps, in), Until: k.Certificate.NotAfter,
			Signing: k.Signing, Own: slices.ContainsFunc(own, func(o mockidp.Key) bool { return o.ID == k.ID })}
	})
}

// labels names the apps that a condition holds for.
func labels(apps []mockidp.App, holds func(mockidp.App) bool) string {
	var out []string
	for _, a := range apps {
		if holds(a) {
			out = append(out, a.Label)
		}
	}
	switch len(out) {
	case 0:
		return "no app"
	case len(apps):
		return "all apps"
	}
	return strings.Join(out, ", ")
}

type keysView struct {
	Keys    []shownKey
	Problem string
}

func (v *visit) keysPage(status int, problem string) {
	v.render(status, "keys", page{Title: "Keys", Here: "/keys", Body: keysView{v.shownKeys(), problem}})
}

func (v *visit) changeKey() {
	kid, note, err := v.form.Get("key"), "", error(nil)
	switch do := v.form.Get("do"); do {
	case "add":
		err, note = v.addKey(v.idp.GenerateKey, func(k parsedKey) (mockidp.Key, error) {
			return v.idp.AddKey(k.key, k.certificate)
		}), "key"
	case "sign":
		err, note = v.idp.SignWith(kid), "signs"
	case "remove":
		err, note = v.idp.RetireKey(kid), "removed"
	default:
		err = fmt.Errorf("there is no action %s", quote(do))
	}
	if err != nil {
		v.keysPage(http.StatusUnprocessableEntity, sentence(plain(err)))
		return
	}
	v.to("/keys", note)
}

// confirmKey asks before a key is removed.
func (v *visit) confirmKey(path, kid, text string) {
	v.confirm("/keys", "Remove the key?", confirmView{Action: path, Button: "Remove", Back: path, Items: []string{kid},
		Text:   text + " Service providers that read the metadata again refuse what it signed.",
		Fields: map[string]string{"do": "remove", "key": kid}})
}

// addKey adds the key that was pasted, or a new one.
func (v *visit) addKey(generate func(years int) (mockidp.Key, error), add func(parsedKey) (mockidp.Key, error)) error {
	if text := strings.TrimSpace(v.form.Get("pem")); text != "" {
		k, err := parseKey(text)
		if err == nil {
			_, err = add(k)
		}
		return err
	}
	years, err := strconv.Atoi(v.form.Get("years"))
	if err != nil || years < 1 || years > 30 {
		return errors.New("the certificate is valid for 1 to 30 years")
	}
	_, err = generate(years)
	return err
}

type parsedKey struct {
	key         crypto.Signer
	certificate *x509.Certificate // nil: a self-signed one is made
}

// parseKey reads a private key, and a certificate if there is one.
func parseKey(text string) (out parsedKey, err error) {
	block, rest := pem.Decode([]byte(text))
	for ; block != nil && err == nil; block, rest = pem.Decode(rest) {
		switch one := pem.EncodeToMemory(block); block.Type {
		case "EC PARAMETERS": // openssl writes them before a key
		case "CERTIFICATE":
			out.certificate, err = configfile.ParseCertificate(one)
		default:
			out.key, err = configfile.ParseKey(one)
		}
	}
	if err == nil && out.key == nil {
		err = errors.New("want a private key that begins with -----BEGIN PRIVATE KEY-----")
	}
	return out, err
}
