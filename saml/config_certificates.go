package saml

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
)

// checkCertificates checks the further certificates of our metadata, and copies the
// lists. An identity provider that is told of a key that it can't use, or of one that
// we can't decrypt with, fails only later, at a sign-in.
func (cfg *Config) checkCertificates() error {
	const signing, encryption = "Config.OtherCertificates", "Config.OtherEncryptionCertificates"
	cfg.OtherCertificates = slices.Clone(cfg.OtherCertificates)
	cfg.OtherEncryptionCertificates = slices.Clone(cfg.OtherEncryptionCertificates)
	if len(cfg.OtherCertificates) > 0 && cfg.Key == nil {
		return configError(signing, "needs Config.Key")
	}
	if len(cfg.OtherEncryptionCertificates) > 0 && cfg.EncryptionCertificate == nil {
		return configError(encryption, "needs Config.EncryptionCertificate")
	}
	if err := checkDistinct(signing, cfg.Certificate, cfg.OtherCertificates); err != nil {
		return err
	}
	if err := checkDistinct(encryption, cfg.EncryptionCertificate, cfg.OtherEncryptionCertificates); err != nil {
		return err
	}
	for i, cert := range cfg.OtherCertificates {
		if err := checkSigningKey(fmt.Sprintf("%s[%d]", signing, i), cert.PublicKey); err != nil {
			return err
		}
	}
	for i, cert := range cfg.OtherEncryptionCertificates {
		if !slices.ContainsFunc(cfg.DecryptionKeys, func(key crypto.Decrypter) bool {
			return key.Public().(*rsa.PublicKey).Equal(cert.PublicKey)
		}) {
			return configError(fmt.Sprintf("%s[%d]", encryption, i), "is of none of Config.DecryptionKeys")
		}
	}
	return nil
}

// checkDistinct refuses a certificate that is listed twice.
func checkDistinct(field string, first *x509.Certificate, others []*x509.Certificate) error {
	if len(others) > maxCertificates {
		return configError(field, "at most %d, got %d", maxCertificates, len(others))
	}
	for i, cert := range others {
		switch field := fmt.Sprintf("%s[%d]", field, i); {
		case cert == nil:
			return configError(field, "is nil")
		case cert.Equal(first) || slices.ContainsFunc(others[:i], cert.Equal):
			return configError(field, "is listed twice")
		}
	}
	return nil
}
