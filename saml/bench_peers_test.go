package saml_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"
)

// The implementations that Verify is compared with. Each function verifies one
// document once.

func floor(tb testing.TB, raw []byte, signatures int, encrypted bool) func() error {
	key := keys().idp
	digest := sha256.Sum256([]byte("x"))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	require.NoError(tb, err)
	wrapped, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, &keys().other.PublicKey, make([]byte, 32), nil)
	require.NoError(tb, err)
	return func() error {
		doc, err := base64.StdEncoding.DecodeString(string(raw))
		if err != nil {
			return err
		}
		if encrypted {
			if _, err := rsa.DecryptOAEP(sha1.New(), nil, keys().other, wrapped, nil); err != nil {
				return err
			}
		}
		for range signatures {
			sha256.Sum256(doc)
			if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
				return err
			}
		}
		return nil
	}
}

func byCrewjam(tb testing.TB, raw []byte) func() error {
	acs, err := url.Parse(usACS)
	require.NoError(tb, err)
	var entity crewjam.EntityDescriptor
	require.NoError(tb, xml.Unmarshal([]byte(idpMetadata(tb, "", "signing", "")), &entity))
	sp := crewjam.ServiceProvider{
		EntityID:          spEntity,
		AcsURL:            *acs,
		IDPMetadata:       &entity,
		AllowIDPInitiated: true,
		Key:               keys().other,
		Clock:             dsig.NewFakeClockAt(now),
	}
	return func() error {
		doc, err := base64.StdEncoding.DecodeString(string(raw))
		if err != nil {
			return err
		}
		_, err = sp.ParseXMLResponse(doc, nil, *acs)
		if hidden := new(crewjam.InvalidResponseError); errors.As(err, &hidden) {
			return hidden.PrivateErr
		}
		return err
	}
}

// byGoxmldsig verifies only the signature of the assertion.
func byGoxmldsig(tb testing.TB, raw []byte) func() error {
	store := &dsig.MemoryX509CertificateStore{}
	store.Roots = append(store.Roots, certificate(tb, keys().idp, now.Add(time.Hour)))
	ctx := dsig.NewDefaultValidationContext(store)
	ctx.Clock = dsig.NewFakeClockAt(now)
	return func() error {
		xml, err := base64.StdEncoding.DecodeString(string(raw))
		if err != nil {
			return err
		}
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(xml); err != nil {
			return err
		}
		assertion := doc.FindElement("./Response/Assertion")
		if assertion == nil {
			return errors.New("goxmldsig does not decrypt")
		}
		signature := assertion.SelectElement("Signature")
		signature.RemoveChild(signature.SelectElement("KeyInfo"))
		_, err = ctx.Validate(assertion)
		return err
	}
}
