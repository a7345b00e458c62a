"""Which names are those of secrets, and which are not."""

import pytest

from coderunner.sandbox.machine.secret_names import is_secret
from tests.behaviours import behaviour

FILES = """
.env .env.local prod.env local.env app.env.production ENV.txt env.local .envrc .dev.vars api_key
apikey.txt openai-api-key.json OPENAI_API_KEY rootkey.csv ada_accessKeys.csv my.apikey
access_key.txt token token.txt token.json token.pickle .token hf_token github-token.txt
bot_token.json slack.token auth_token.yaml service-account.json service_account.json
serviceAccountKey.json gcp-key.json key.json keys.yml.bak keyfile.json
my-project-firebase-adminsdk-x1.json client_secret_1.json credentials.json db_password.txt passwd
passwords.csv auth.json .htpasswd .htdigest .dockercfg .dockerconfigjson .netrc _netrc .npmrc
.yarnrc.yml .pypirc .pgpass .my.cnf .git-credentials .s3cfg .boto rclone.conf kubeconfig
kubeconfig.yaml prod.kubeconfig terraform.tfstate terraform.tfstate.backup terraform.tfstate.1699
prod.tfvars prod.auto.tfvars.json .terraformrc id_rsa id_ed25519.bak github_ed25519 deploy_rsa
ssh_host_rsa_key server.pem server.key server.key~ putty.ppk AuthKey_X1.p8 release.keystore
http.keytab store.jks vault.kdbx backup.gpg office.ovpn private_key.txt .bash_history .psql_history
cookies.txt key4.db wallet.dat seed-phrase.txt recovery-codes.txt vault_pass.txt wp-config.php
secrets.toml
"""
FOLDERS = ".ssh .aws .kube .docker .gnupg .config .azure .oci secrets my-credentials .password-store"
NOT = """
data.csv tokens.txt tokens.csv tokenizer.json tokenizer_config.json added_tokens.json
special_tokens_map.json token_counts.csv token_ids.npy keys.csv keyboard.json monkey.json
turkey.json hockey.txt keynote.md key_figures.xlsx answer_key.csv environment.yml env.yml env.py
authors.json author.json authentication.md compass.txt bypass.csv passengers.csv pass_rate.csv
history.csv state.json config.json settings.json seeds.csv cookies.py report.key.txt kube.py
account.csv accounts.json services.json service.csv environment.txt backup.tar.gz access.log
model.bin
"""


@behaviour("sandbox:secret-names")
@pytest.mark.parametrize("name", FILES.split())
def test_a_file_that_usually_holds_a_secret_is_known_by_its_name(name: str) -> None:
    assert is_secret(name)
    assert is_secret(name.upper())


@behaviour("sandbox:secret-names")
@pytest.mark.parametrize("name", FOLDERS.split())
def test_a_folder_that_usually_holds_secrets_is_known_by_its_name(name: str) -> None:
    assert is_secret(name, folder=True)


@behaviour("sandbox:secret-names")
@pytest.mark.parametrize("name", [*NOT.split(), "price_history"])
def test_data_models_and_programs_are_taken_for_no_secrets(name: str) -> None:
    assert not is_secret(name)


@behaviour("sandbox:secret-names")
@pytest.mark.parametrize("name", ["env", "token", "tokens", "keys", "auth", "history", "src"])
def test_a_folder_of_source_is_taken_for_no_secret(name: str) -> None:
    assert not is_secret(name, folder=True)
