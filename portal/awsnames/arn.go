package awsnames

import (
	"regexp"
	"strings"
)

// instanceARN is AWS's pattern of an instance's ARN, for all partitions.
var instanceARN = regexp.MustCompile(`^arn:aws(-[a-z]{1,5}){0,3}:sso:::instance/ssoins-[A-Za-z0-9.-]{16}$`)

// InstanceID returns the instance's ID in its ARN: the part that begins with ssoins-, for Instance.InstanceID. Package
// center has the ARN (InstanceMetadata.ARN). The error is an *Error.
func InstanceID(arn string) (string, error) {
	if !instanceARN.MatchString(arn) {
		const want = "arn:aws:sso:::instance/ssoins- and 16 letters, digits, dots and hyphens"
		return "", &Error{ReasonInvalid, "ARN of instance", want, arn}
	}
	if !strings.HasPrefix(arn, "arn:aws:") {
		return "", &Error{ReasonPartition, "ARN of instance", "the partition aws", arn}
	}
	return arn[strings.LastIndexByte(arn, '/')+1:], nil
}
