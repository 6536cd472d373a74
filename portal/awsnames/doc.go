// Package awsnames builds the addresses of an AWS IAM Identity Center instance: those of its access
// portals and its assertion consumer service (ACS) URLs, Region by Region. Use it to configure a
// Region or an identity provider's app, or to compare addresses. Meridian itself serves whatever
// addresses it is configured with.
//
// The formats are those of AWS's commercial partition. Other partitions, such as China, GovCloud
// and the European Sovereign Cloud, have other domains, so their Regions are refused.
package awsnames
