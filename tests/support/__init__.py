"""What tests share: servers, proxies, builders and the auditor."""
