package keys

// refusals are the errors of AWS KMS that are refusals, by their codes. After IncorrectKeyException and
// InvalidCiphertextException, the key may still be used for other values.
var refusals = map[string]Reason{
	"AccessDeniedException":      ReasonAccessDenied,
	"DisabledException":          ReasonDisabled,
	"KMSInvalidStateException":   ReasonInvalidState,
	"NotFoundException":          ReasonNotFound,
	"InvalidKeyUsageException":   ReasonInvalidKeyUsage,
	"InvalidCiphertextException": ReasonInvalidCiphertext,
	"IncorrectKeyException":      ReasonInvalidCiphertext,
}

// KMSError returns what a driver of AWS KMS returns for an error with this code: an *Error with the Reason of a
// refusal, or err itself. A code that isn't a refusal, such as ThrottlingException or ExpiredTokenException, says
// nothing about the key, so it counts as a KMS that doesn't answer: see [Config.Outage]. KMS.md has a driver.
func KMSError(code string, err error) error {
	reason, ok := refusals[code]
	if !ok {
		return err
	}
	return &Error{Reason: reason, Rule: "key of AWS KMS", Err: err}
}
