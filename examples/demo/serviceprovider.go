package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/saml"
)

// spKeys are the service provider's key and certificate, in DER. All Regions have the same, because the metadata of
// one service provider lists them.
type spKeys struct{ Key, Certificate []byte }

func newSPKeys() (spKeys, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return spKeys{}, err
	}
	var out spKeys
	if out.Key, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return spKeys{}, err
	}
	now := time.Now()
	c := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: corp.Name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
	}
	out.Certificate, err = x509.CreateCertificate(rand.Reader, &c, &c, key.Public(), key)
	return out, err
}

// serviceProvider returns the service provider, with the URLs of these Regions, the primary first.
func serviceProvider(idp saml.IdPSource, keys spKeys, of []*site) (*saml.ServiceProvider, error) {
	cfg := saml.Config{EntityID: of[0].url + corp.SPPath, IdP: idp, Logout: logoutURLs(of)}
	for _, s := range of {
		cfg.ACS = append(cfg.ACS, saml.Endpoint{URL: s.acs, Region: s.Name})
	}
	key, err := x509.ParsePKCS8PrivateKey(keys.Key)
	if err != nil {
		return nil, err
	}
	cfg.Key = key.(crypto.Signer)
	if cfg.Certificate, err = x509.ParseCertificate(keys.Certificate); err != nil {
		return nil, err
	}
	return saml.New(cfg)
}

// logoutURLs lists a logout URL for each Region. The identity provider sends all messages to the first.
func logoutURLs(of []*site) (all []saml.LogoutEndpoint) {
	for _, s := range of {
		all = append(all, region.Logout(s.Place, s.url))
	}
	return all
}
