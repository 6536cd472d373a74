package configfile

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// ParseKey reads a private key in PEM: PKCS #8, PKCS #1, or SEC 1 for elliptic curves. An encrypted key is refused.
func ParseKey(text []byte) (crypto.Signer, error) {
	block, err := onlyBlock(text, "a private key", "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	var key any
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, fmt.Errorf("the PEM block %s holds no private key: %w", block.Type, err)
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key, nil
	case *ecdsa.PrivateKey:
		return key, nil
	}
	return nil, fmt.Errorf("the private key must be RSA or ECDSA, got %T", key)
}

// ParseCertificate reads an X.509 certificate in PEM.
func ParseCertificate(text []byte) (*x509.Certificate, error) {
	block, err := onlyBlock(text, "a certificate", "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the PEM block holds no certificate: %w", err)
	}
	return cert, nil
}

// onlyBlock returns the one PEM block of a text. Blocks of EC parameters, which openssl writes before a key, are
// ignored.
func onlyBlock(text []byte, what, suffix string) (*pem.Block, error) {
	var found *pem.Block
	for rest := text; ; {
		block, after := pem.Decode(rest)
		switch {
		case block == nil && found == nil:
			return nil, fmt.Errorf("want %s in PEM, which begins with -----BEGIN", what)
		case block == nil && len(bytes.TrimSpace(rest)) > 0:
			return nil, fmt.Errorf("want only %s in PEM; there is text after its last block", what)
		case block == nil:
			return found, nil
		case block.Type == "EC PARAMETERS":
		case strings.Contains(block.Type, "ENCRYPTED") || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, errors.New("the private key is encrypted; write it in the clear, such as by openssl pkey")
		case !strings.HasSuffix(block.Type, suffix):
			return nil, fmt.Errorf("want %s in PEM, got the block %.40q", what, block.Type)
		case found != nil:
			return nil, fmt.Errorf("want %s in PEM, got two blocks", what)
		default:
			found = block
		}
		rest = after
	}
}

// FormatKey writes a private key in PEM (PKCS #8). A key that is not in memory, such as one in hardware, is an error.
func FormatKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("the private key can't be written: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// FormatCertificate writes a certificate in PEM.
func FormatCertificate(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}
