package access

import (
	"context"
	"slices"
	"strconv"

	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/center"
)

type accountInfo struct {
	AccountID    string `json:"accountId"`
	AccountName  string `json:"accountName"`
	EmailAddress string `json:"emailAddress"`
}

type accountList struct {
	NextToken   *string       `json:"nextToken"`
	AccountList []accountInfo `json:"accountList"`
}

func (a *API) listAccounts(ctx context.Context, call *awsapi.Call, g awsapi.Grant) (any, error) {
	list := a.cfg.Directory.Accounts(g.UserID)
	key := func(x center.AccountAccess) string { return x.Account.Name + "\x00" + x.Account.ID }
	page, next, err := paged(ctx, a, call, list, key, "ListAccounts", g.UserID)
	if err != nil {
		return nil, err
	}
	out := accountList{NextToken: next, AccountList: []accountInfo{}}
	for _, x := range page {
		out.AccountList = append(out.AccountList, accountInfo{x.Account.ID, x.Account.Name, x.Account.Email})
	}
	return out, nil
}

type roleInfo struct {
	RoleName  string `json:"roleName"`
	AccountID string `json:"accountId"`
}

type roleList struct {
	NextToken *string    `json:"nextToken"`
	RoleList  []roleInfo `json:"roleList"`
}

func (a *API) listAccountRoles(ctx context.Context, call *awsapi.Call, g awsapi.Grant) (any, error) {
	id, err := required(call, "account_id")
	if err != nil {
		return nil, err
	}
	found, ok := a.account(g.UserID, id)
	if !ok {
		return nil, noAccess("account of the user")
	}
	key := func(p center.PermissionSet) string { return p.Name }
	page, next, err := paged(ctx, a, call, found.PermissionSets, key, "ListAccountRoles", g.UserID, id)
	if err != nil {
		return nil, err
	}
	out := roleList{NextToken: next, RoleList: []roleInfo{}}
	for _, p := range page {
		out.RoleList = append(out.RoleList, roleInfo{p.Name, id})
	}
	return out, nil
}

// account returns what a user has in an account.
func (a *API) account(userID, accountID string) (center.AccountAccess, bool) {
	list := a.cfg.Directory.Accounts(userID)
	i := slices.IndexFunc(list, func(x center.AccountAccess) bool { return x.Account.ID == accountID })
	if i < 0 {
		return center.AccountAccess{}, false
	}
	return list[i], true
}

// paged returns the page of a list that the parameters max_result and next_token name. A missing token is null.
func paged[T any](ctx context.Context, a *API, call *awsapi.Call, list []T, key func(T) string, request ...string) (
	page []T, next *string, err error) {
	size, err := pageSize(call)
	if err != nil {
		return nil, nil, err
	}
	token, err := call.Param("next_token")
	if err != nil {
		return nil, nil, err
	}
	page, after, err := awsapi.Page(ctx, a.pages, list, key, size, token, request...)
	if after != "" {
		next = &after
	}
	return page, next, err
}

func pageSize(call *awsapi.Call) (int, error) {
	value, err := call.Param("max_result")
	if err != nil || value == "" {
		return 0, err
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > 100 {
		return 0, &awsapi.Error{Reason: awsapi.ReasonInput, Rule: "max_result", Want: "1 to 100"}
	}
	return n, nil
}

func required(call *awsapi.Call, name string) (string, error) {
	value, err := call.Param(name)
	if err == nil && value == "" {
		err = &awsapi.Error{Reason: awsapi.ReasonInput, Rule: name, Want: "a value"}
	}
	return value, err
}
