"""The images that an operator chooses."""

from __future__ import annotations

import pytest

from shared.deployer import Images
from shared.errors import SettingsError


def test_images_are_read_from_the_environment_and_an_unset_one_is_none() -> None:
    images = Images.from_environment({"SLIPWAY_ORCHESTRATOR_IMAGE": "registry.example.org:5000/a/orchestrator:1"})

    assert images == Images(orchestrator="registry.example.org:5000/a/orchestrator:1")


@pytest.mark.parametrize("variable", ["SLIPWAY_ORCHESTRATOR_IMAGE", "SLIPWAY_PROBE_IMAGE", "SLIPWAY_NGINX_IMAGE"])
def test_what_is_no_image_is_refused_by_the_name_of_its_variable(variable: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{variable}: expected an image reference: the path is not made of"):
        Images.from_environment({variable: "bad image"})


def test_the_refused_text_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as refused:
        Images.from_environment({"SLIPWAY_ORCHESTRATOR_IMAGE": "https://user:secret@example.org/a"})

    assert "secret" not in str(refused.value)
