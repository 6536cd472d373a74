package run

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// addresses is the content of idp.json.
type addresses struct {
	EntityID    string `json:"entityID"`
	SSOURL      string `json:"ssoURL"`
	BackChannel string `json:"backChannel,omitempty"`
}

// WriteIdP writes an identity provider into a folder, which it makes if there is
// none: metadata.xml for the service provider, KEY.crt for each key in case the
// service provider takes single certificates, and KEY.key and idp.json for
// [ReadIdP].
func WriteIdP(dir string, i *IdP) error {
	metadata, err := i.Metadata()
	if err != nil {
		return err
	}
	names, err := json.Marshal(addresses{i.EntityID, i.SSOURL, i.BackChannel})
	if err != nil {
		return err
	}
	files := map[string][]byte{"metadata.xml": metadata, "idp.json": append(names, '\n')}
	for _, k := range i.keys() {
		der, err := x509.MarshalPKCS8PrivateKey(k.key)
		if err != nil {
			return err
		}
		files[k.name+".key"] = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		files[k.name+".crt"] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Certificates[k.key]})
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// ReadIdP reads an identity provider that [WriteIdP] wrote.
func ReadIdP(dir string) (*IdP, error) {
	text, err := os.ReadFile(filepath.Join(dir, "idp.json"))
	if err != nil {
		return nil, err
	}
	var names addresses
	if err := json.Unmarshal(text, &names); err != nil {
		return nil, fmt.Errorf("idp.json: %w", err)
	}
	i := &IdP{
		EntityID: names.EntityID, SSOURL: names.SSOURL, BackChannel: names.BackChannel,
		Certificates: make(map[crypto.Signer][]byte),
	}
	for _, name := range []string{"rsa", "ecdsa", "rsa1024", "encryption"} {
		key, certificate, err := readKey(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := i.setKey(name, key); err != nil {
			return nil, err
		}
		i.Certificates[key] = certificate
	}
	if i.RSA == nil {
		return nil, fmt.Errorf("%s has no rsa.key", dir)
	}
	return i, i.complete(time.Now())
}

func (i *IdP) setKey(name string, key crypto.Signer) error {
	ok := false
	switch name {
	case "rsa":
		i.RSA, ok = key.(*rsa.PrivateKey)
	case "rsa1024":
		i.RSA1024, ok = key.(*rsa.PrivateKey)
	case "encryption":
		i.Encryption, ok = key.(*rsa.PrivateKey)
	case "ecdsa":
		i.ECDSA, ok = key.(*ecdsa.PrivateKey)
	}
	if !ok {
		return fmt.Errorf("%s.key is a %T", name, key)
	}
	return nil
}

// readKey reads a key and its certificate.
func readKey(path string) (crypto.Signer, []byte, error) {
	text, err := os.ReadFile(path + ".key")
	if err != nil {
		return nil, nil, err
	}
	key, err := ParseKey(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s.key: %w", path, err)
	}
	text, err = os.ReadFile(path + ".crt")
	if err != nil {
		return nil, nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, nil, fmt.Errorf("%s.crt is not PEM", path)
	}
	return key, block.Bytes, nil
}

// ParseKey reads a private key in PEM: PKCS #8, PKCS #1 or SEC 1.
func ParseKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("not PEM")
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T does not sign", key)
	}
	return signer, nil
}
