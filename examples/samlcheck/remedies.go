package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// remedy is a flag that was not given and may pass what failed.
type remedy struct {
	flag    string // as it is written
	givesUp string
	apply   func(*setup)
}

// allowances are the flags that let something pass that is refused by default,
// without those that were given, and the end of those that demand more.
func (s *setup) allowances() []remedy {
	var out []remedy
	for _, a := range []struct {
		given         bool
		flag, givesUp string
		apply         func(*setup)
	}{
		{s.allowExpiredMetadata, "-allow-expired-metadata", "Keys that the identity provider has withdrawn stay trusted. Fetch its current metadata instead.", func(s *setup) { s.allowExpiredMetadata = true }},
		{s.allowSHA1, "-allow-sha1", "SHA-1 has collisions: a signature can be made to fit two documents. For old captures, not for sign-in.", func(s *setup) { s.allowSHA1 = true }},
		{s.allowRSA1024, "-allow-rsa1024", "An attacker who factors so short a key can sign as the identity provider, or decrypt. For old captures, not for sign-in.", func(s *setup) { s.allowRSA1024 = true }},
		{s.allowCBC, "-allow-cbc", "An attacker who has an encrypted assertion can send changed copies, and learn its content from how they are refused.", func(s *setup) { s.allowCBC = true }},
		{s.allowRSA15, "-allow-rsa15", "RSA 1.5 key transport is open to decryption oracles, which then also reach what was encrypted to the same key with RSA-OAEP.", func(s *setup) { s.allowRSA15 = true }},
		{s.allowMissingNameID, "-allow-missing-nameid", "The assertion names no subject: the service must identify users by an attribute, and check that it is there.", func(s *setup) { s.allowMissingNameID = true }},
		{!s.wantAssertionsSigned, "-want-assertions-signed=false", "What that flag demands beyond the defaults: the signature of the Response around it is then enough for the assertion.", func(s *setup) { s.wantAssertionsSigned = false }},
		{!s.wantResponsesSigned, "-want-responses-signed=false", "What that flag demands beyond the defaults: Status and Destination are then not proved.", func(s *setup) { s.wantResponsesSigned = false }},
	} {
		if !a.given {
			out = append(out, remedy{a.flag, a.givesUp, a.apply})
		}
	}
	return out
}

// candidates are the flags with a value that may pass a check which failed for
// that reason. The values are the message's own.
func (s *setup) candidates(reason saml.Reason, f facts) []remedy {
	switch reason {
	case saml.ReasonRecipient, saml.ReasonDestination, saml.ReasonSubjectConfirmation:
		return s.otherACS(f)
	case saml.ReasonAudience, saml.ReasonNameID:
		return s.otherEntityID(f)
	case saml.ReasonInResponseTo, saml.ReasonUnsolicited, saml.ReasonWrongRegion:
		return s.otherRequest(f)
	case saml.ReasonMetadata, saml.ReasonExpired, saml.ReasonNotYetValid, saml.ReasonSession:
		return s.otherTime(reason, f)
	case saml.ReasonIssuer:
		return s.otherIssuer(f)
	case saml.ReasonEncrypted:
		return s.someKey(f)
	}
	return nil
}

func (s *setup) otherACS(f facts) (out []remedy) {
	for _, url := range f.recipients {
		if url != s.acs {
			out = append(out, remedy{"-acs " + quoted(url), "Nothing, if this is a URL of the service. A response that was made for another service must be refused.", func(s *setup) { s.acs = url }})
		}
	}
	return out
}

func (s *setup) otherEntityID(f facts) (out []remedy) {
	for _, id := range f.audiences {
		if id != s.entityID {
			out = append(out, remedy{"-entity-id " + quoted(id), "Nothing, if this is the service's own entity ID. An assertion that was made for another service must be refused.", func(s *setup) { s.entityID = id }})
		}
	}
	return out
}

func (s *setup) otherRequest(f facts) (out []remedy) {
	for _, id := range f.requestIDs {
		if slices.Contains(s.requestIDs, id) {
			continue
		}
		flag := "-request-id " + quoted(id)
		if s.unsolicited {
			flag += " in place of -unsolicited"
		}
		out = append(out, remedy{flag, "Nothing, if the browser that posted the response made this request. Otherwise it answers another browser's request: an attacker can sign a user in to the attacker's account.", func(s *setup) {
			s.requestIDs, s.unsolicited = append(slices.Clone(s.requestIDs), id), false
		}})
	}
	if len(f.requestIDs) == 0 && !s.unsolicited {
		out = append(out, remedy{"-unsolicited in place of -request-id", "The response answers no request: with it, an attacker can sign a user in to the attacker's account.", func(s *setup) {
			s.requestIDs, s.unsolicited = nil, true
		}})
	}
	return out
}

// otherTime is the time at which the message says that it was made. Where only
// MaxAge is over, it is -max-age.
func (s *setup) otherTime(reason saml.Reason, f facts) (out []remedy) {
	at, ok := f.latest()
	if !ok {
		return nil
	}
	if age := s.now().Sub(f.issued).Truncate(time.Minute) + time.Minute; reason == saml.ReasonExpired && !f.issued.IsZero() && age > 0 {
		out = append(out, remedy{"-max-age " + age.String(), "An assertion, also a stolen one, can be used for that long after it was issued.", func(s *setup) { s.maxAge = age }})
	}
	return append(out, remedy{"-now " + at.Format(time.RFC3339), "Nothing: it judges as of the time at which the response says that it was made. At another time a service refuses it all the same.", func(s *setup) {
		s.now = func() time.Time { return at }
	}})
}

// otherIssuer is for an identity provider that was described by hand. Metadata
// says what the name is that goes with the keys.
func (s *setup) otherIssuer(f facts) (out []remedy) {
	if s.idpMetadata != "" {
		return nil
	}
	for _, id := range f.issuers {
		cfg := s.idpByHand
		cfg.EntityID = id
		if idp, err := saml.NewIdP(cfg); err == nil && id != s.idpEntityID {
			out = append(out, remedy{"-idp-entity-id " + quoted(id), "Nothing, if this is the identity provider's entity ID. Another one that signs with the same key must be refused.", func(s *setup) { s.idpEntityID, s.idp = id, idp }})
		}
	}
	return out
}

// keyFlag stands for a key that samlcheck doesn't have.
const keyFlag = "-key FILE"

// someKey lets the checks before decryption go on. The key is a new one: it
// decrypts nothing, and is as long as the one that the message is encrypted to.
func (s *setup) someKey(f facts) []remedy {
	if len(s.open) > 0 {
		return nil
	}
	bits := 2048
	if f.keyBits >= 1024 && f.keyBits < bits {
		bits = f.keyBits
	}
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil
	}
	return []remedy{{keyFlag, "Nothing: it is the private key of the certificate that the response is encrypted to. What is inside can't be looked at without it.", func(s *setup) {
		s.open = []crypto.Decrypter{key}
	}}}
}

// quoted is a value of the message as it can be given to a shell: as it is
// where it is plain, or in single quotes.
func quoted(s string) string {
	const plain = "_-.:/@%+,"
	odd := func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune(plain, r)
	}
	if strings.ContainsFunc(s, odd) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
