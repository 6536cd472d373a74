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
	apply   func(*options)
}

// allowances returns the toggles that were not given and allow something, and the end of those that were given
// and demand more.
func (o *options) allowances() []remedy {
	var out []remedy
	for _, t := range toggles {
		if *t.field(&o.config) != t.demands {
			continue
		}
		flag := "-" + t.name
		if t.demands {
			flag += "=false"
		}
		out = append(out, remedy{flag, t.givesUp, func(o *options) { *t.field(&o.config) = !t.demands }})
	}
	return out
}

// candidates returns the flags with a value that may pass a check which failed for that reason. The values are
// the message's own.
func (o *options) candidates(reason saml.Reason, f facts) []remedy {
	switch reason {
	case saml.ReasonRecipient, saml.ReasonDestination, saml.ReasonSubjectConfirmation:
		return o.otherValue("-acs ", f.recipients, func(o *options) *string { return &o.acs },
			"Nothing, if this is a URL of the service. A response that was made for another service must be refused.")
	case saml.ReasonAudience, saml.ReasonNameID:
		return o.otherValue("-entity-id ", f.audiences, func(o *options) *string { return &o.config.EntityID },
			"Nothing, if this is the service's own entity ID. An assertion that was made for another service must be refused.")
	case saml.ReasonInResponseTo, saml.ReasonUnsolicited, saml.ReasonWrongRegion:
		return o.otherRequest(f)
	case saml.ReasonMetadataExpired, saml.ReasonExpired, saml.ReasonNotYetValid, saml.ReasonSession:
		return o.otherTime(reason, f)
	case saml.ReasonIssuer:
		return o.otherIssuer(f)
	case saml.ReasonEncrypted:
		return o.newKey(f)
	}
	return nil
}

// otherValue returns a remedy for each value that the flag doesn't have already.
func (o *options) otherValue(flag string, values []string, field func(*options) *string, givesUp string) []remedy {
	var out []remedy
	for _, value := range values {
		if value != *field(o) {
			out = append(out, remedy{flag + quoted(value), givesUp, func(o *options) { *field(o) = value }})
		}
	}
	return out
}

func (o *options) otherRequest(f facts) (out []remedy) {
	for _, id := range f.requestIDs {
		if slices.Contains(o.requestIDs, id) {
			continue
		}
		flag := "-request-id " + quoted(id)
		if o.unsolicited {
			flag += " in place of -unsolicited"
		}
		out = append(out, remedy{
			flag, "Nothing, if the browser that posted the response made this request. Otherwise it answers another " +
				"browser's request: an attacker can sign a user in to the attacker's account.",
			func(o *options) { o.requestIDs, o.unsolicited = append(slices.Clone(o.requestIDs), id), false },
		})
	}
	if len(f.requestIDs) == 0 && !o.unsolicited {
		out = append(out, remedy{
			"-unsolicited in place of -request-id",
			"The response answers no request: with it, an attacker can sign a user in to the attacker's account.",
			func(o *options) { o.requestIDs, o.unsolicited = nil, true },
		})
	}
	return out
}

// otherTime returns the time at which the message says that it was made. If only MaxAge is over, -max-age comes first.
func (o *options) otherTime(reason saml.Reason, f facts) (out []remedy) {
	if len(f.made) == 0 {
		return nil
	}
	at := slices.MaxFunc(f.made, time.Time.Compare).Truncate(time.Second)
	age := o.config.Now().Sub(f.issued).Truncate(time.Minute) + time.Minute
	if reason == saml.ReasonExpired && !f.issued.IsZero() && age > 0 {
		out = append(out, remedy{
			"-max-age " + age.String(), "An assertion, also a stolen one, can be used for that long after it was issued.",
			func(o *options) { o.config.MaxAge = age },
		})
	}
	return append(out, remedy{
		"-now " + at.Format(time.RFC3339),
		"Nothing: it verifies as of the time at which the response says that it was made. Later a service still refuses it.",
		func(o *options) { o.config.Now = func() time.Time { return at } },
	})
}

// otherIssuer is for an identity provider that flags describe. With metadata the name is known.
func (o *options) otherIssuer(f facts) (out []remedy) {
	if o.idpMetadata != "" {
		return nil
	}
	for _, id := range f.issuers {
		cfg := o.idpByHand
		cfg.EntityID = id
		if idp, err := saml.NewIdP(cfg); err == nil && id != o.idpByHand.EntityID {
			out = append(out, remedy{
				"-idp-entity-id " + quoted(id), "Nothing, if this is the identity provider's entity ID. " +
					"Another one that signs with the same key must be refused.",
				func(o *options) { o.idpByHand.EntityID, o.config.IdP = id, idp },
			})
		}
	}
	return out
}

// keyFlag is the placeholder of a key that samlcheck doesn't have.
const keyFlag = "-key FILE"

// newKey lets the checks before decryption go on. The new key decrypts nothing; it is as long as the one that the
// message is encrypted to.
func (o *options) newKey(f facts) []remedy {
	if len(o.config.DecryptionKeys) > 0 {
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
	return []remedy{{
		keyFlag, "Nothing: it is the private key of the certificate that the response is encrypted to. " +
			"What is inside can't be verified without it.",
		func(o *options) { o.config.DecryptionKeys = []crypto.Decrypter{key} },
	}}
}

// quoted returns a value of the message for a shell: in single quotes where it needs them.
func quoted(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/@%+,"
	if strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
