"""Which names of files and folders are those of secrets: keys, passwords, tokens and what holds them.

A name is all there is to go by: what a file holds is not looked at. Rather too many than too few, but for
what data and models are usually called: `tokenizer.json`, `tokens.txt`, `keys.csv`, `environment.yml`.
"""

import re

_NAMED = """
.ssh .gnupg .aws .azure .kube .docker .password-store .mozilla .thunderbird .config .pki
.terraform.d .kaggle .gcloud .oci .aliyun .m2 .gem .huggingface .netrc _netrc .pgpass pgpass.conf
.my.cnf .mylogin.cnf .npmrc .yarnrc .yarnrc.yml .pypirc .vault-token .htpasswd htpasswd .htdigest
.dockercfg .dockerconfigjson .s3cfg .boto .authinfo .curlrc .wgetrc .fetchmailrc .msmtprc .muttrc
.smbcredentials .databrickscfg .snowsql .sentryclirc .terraformrc terraform.rc rclone.conf
.rclone.conf nuget.config settings-security.xml auth.json kubeconfig kube.config kube-config
key.json keys.json key.txt keys.txt key.yml key.yaml keys.yml keys.yaml keyfile.json login.txt
logins.json pass.txt pwd.txt wp-config.php .dev.vars .envrc env.txt env.local env.json cookies.txt
cookies.json cookies.sqlite key3.db key4.db wallet.dat wallet.json mnemonic.txt seed.txt
"""
_NAMES = frozenset(_NAMED.split())
"""Folders of programs that keep keys, files of logins, browsers and wallets."""
_BEGINNINGS = (
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "shadow", "ssh_host_", "utc--"),
    *("kubeconfig.", "kubeconfig-"),
    *(".env.", ".env-", ".env_", ".netrc.", ".htpasswd.", "google-services.json", "googleservice-info"),
)
_ENDINGS = (
    *(".pem", ".key", ".ppk", ".p8", ".p12", ".pfx", ".pvk", ".jks", ".jceks", ".bks", ".keystore"),
    ".keytab",
    *(".kdb", ".kdbx", ".keychain", ".keychain-db", ".keyring", ".gpg", ".pgp", ".ovpn", ".env"),
    ".kubeconfig",
    *(".tfstate", ".tfstate.backup", ".tfvars", ".tfvars.json", "_rsa", "_dsa", "_ecdsa", "_ed25519"),
    *("-key.json", "_key.json", "-keys.json", "_keys.json", ".token", ".apikey", ".api_key"),
)
_WITHIN = re.compile(
    "credential|secret|password|passwd|passphrase|vault[-_]pass|service[-_ ]?account|firebase-adminsdk"
    "|(?:api|access|private|root|master|auth|license|encryption|signing|deploy)[-_. ]?key|privkey|htpasswd"
    r"|(?:access|auth|api|bearer|refresh|bot|hf|github|gitlab|slack|oauth2?)[-_. ]?token(?![a-z])"
    "|recovery[-_ ]?codes|backup[-_ ]?codes|seed[-_ ]?phrase"
    r"|\.env\."  # app.env.production
)
_HINTS = (
    *("key", "token", "secret", "pass", "credential"),
    *("account", "codes", "phrase", "adminsdk", ".env."),
)
"""One of them is in each name that has `_WITHIN` in it: names are asked about by the ten thousand."""
_TOKEN = re.compile(r"(?:.*[-_. ])?token(?:\.(?:txt|json|ya?ml|toml|ini|cfg|conf|dat|pickle|pkl|bak|old))*")
"""A file with a token in it; a folder of that name has the source of a tokenizer, say."""
_COPIES = (".bak", ".backup", ".old", ".orig", ".save", ".swp", "~", *"0123456789")
_COPY = re.compile(r"(?:\.(?:bak|backup|old|orig|save|swp|\d+)|~)\Z")
"""What is put behind the name of a file that is a copy of another."""


def is_secret(name: str, *, folder: bool = False) -> bool:
    """Whether a name, in any case, is a secret's; `folder`: it is that of a folder."""
    name = name.lower()
    if _bears(name, folder=folder):
        return True
    if not name.endswith(_COPIES):
        return False
    plain = _COPY.sub("", name)
    return plain != name and _bears(plain, folder=folder)


def _bears(name: str, *, folder: bool) -> bool:
    return (
        name in _NAMES
        or name.startswith(_BEGINNINGS)
        or name.endswith(_ENDINGS)
        or (name[:1] == "." and name.endswith("_history"))
        or (any(map(name.__contains__, _HINTS)) and _within(name, folder=folder))
    )


def _within(name: str, *, folder: bool) -> bool:
    return _WITHIN.search(name) is not None or (not folder and _TOKEN.fullmatch(name) is not None)
