"""The help article on backup codes, sentence by sentence, on the real server."""


from tests.conftest import Refusing
from tests.people import People


async def test_signing_in_with_a_backup_code_replaces_it_at_once(people: People, refused: Refusing) -> None:
    """ "You're signed in. We immediately replace the used code and show you a new one"."""
    owner = await people.with_authenticator()
    signed_in = await people.use_backup_code(await people.challenge_for(owner), owner.backup_code)
    assert signed_in.session.methods == ["pwd", "otp", "urn:twofactor:backup", "mfa"]
    assert signed_in.new_backup_code.generation == owner.generation + 1
    with refused("CODE_ALREADY_USED") as said:
        await people.use_backup_code(await people.challenge_for(owner), owner.backup_code)
    assert "used_at" in said[0].metadata
    again = await people.use_backup_code(await people.challenge_for(owner), signed_in.new_backup_code.code)
    assert again.new_backup_code.code != signed_in.new_backup_code.code
