package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"github.com/meridian-saml/meridian/saml"
)

// addCert adds a certificate or a public key.
func addCert(cfg *saml.IdPConfig, path string) error {
	block, err := onePEM("-idp-cert", path)
	if err != nil {
		return err
	}
	var key any
	switch block.Type {
	case "CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fmt.Errorf("-idp-cert %s: %w", path, err)
		}
		key = cert.PublicKey
		cfg.Certificates = append(cfg.Certificates, cert)
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
		cfg.Keys = append(cfg.Keys, key)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
		cfg.Keys = append(cfg.Keys, key)
	default:
		err = fmt.Errorf("want a CERTIFICATE or a PUBLIC KEY, got %q", block.Type)
	}
	if err != nil {
		return fmt.Errorf("-idp-cert %s: %w", path, err)
	}
	switch key.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
		return nil
	}
	return fmt.Errorf("-idp-cert %s: want an RSA or ECDSA key, got %T", path, key)
}

func decryptionKeys(paths []string) ([]crypto.Decrypter, error) {
	var keys []crypto.Decrypter
	for _, path := range paths {
		block, err := onePEM("-key", path)
		if err != nil {
			return nil, err
		}
		var key any
		switch block.Type {
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		default:
			err = fmt.Errorf("want an RSA PRIVATE KEY or a PRIVATE KEY that is not encrypted, got %q", block.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("-key %s: %w", path, err)
		}
		private, ok := key.(*rsa.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("-key %s: want an RSA key, got %T", path, key)
		}
		keys = append(keys, private)
	}
	return keys, nil
}

// onePEM reads a file with exactly one block. Of a chain only the first certificate could be meant, so it is refused.
func onePEM(flag, path string) (*pem.Block, error) {
	raw, err := readFile(flag, path, maxPEM)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("%s %s: not in PEM", flag, path)
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, fmt.Errorf("%s %s: want one PEM block a file, got several", flag, path)
	}
	return block, nil
}
