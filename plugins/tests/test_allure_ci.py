"""
Which continuous integration a build belongs to, by the environments that they document.
"""

from __future__ import annotations

from typing import Any

import pytest

from epos_conformance.report import allure_ci


GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "till/epos",
    "GITHUB_RUN_ID": "4711",
    "GITHUB_RUN_NUMBER": "12",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_WORKFLOW": "Nightly",
}

BUILDS: list[tuple[dict[str, str], dict[str, Any]]] = [
    (
        GITHUB,
        {
            "name": "GitHub Actions",
            "type": "github",
            "buildOrder": 12,
            "buildName": "Nightly #12",
            "buildUrl": "https://github.com/till/epos/actions/runs/4711/attempts/2",
            "url": "https://github.com/till/epos",
        },
    ),
    (
        {
            "GITLAB_CI": "true",
            "CI_PIPELINE_IID": "8",
            "CI_JOB_NAME": "epos",
            "CI_PROJECT_PATH": "till/epos",
            "CI_JOB_URL": "https://gitlab.example/till/epos/-/jobs/9",
            "CI_PROJECT_URL": "https://gitlab.example/till/epos",
        },
        {
            "name": "GitLab CI",
            "type": "gitlab",
            "buildOrder": 8,
            "buildName": "till/epos: epos #8",
            "buildUrl": "https://gitlab.example/till/epos/-/jobs/9",
            "url": "https://gitlab.example/till/epos",
        },
    ),
    (
        {
            "JENKINS_URL": "http://jenkins.example:8080/",
            "BUILD_NUMBER": "31",
            "JOB_NAME": "epos/main",
            "BUILD_URL": "http://jenkins.example:8080/job/epos/31/",
        },
        {
            "name": "Jenkins",
            "type": "jenkins",
            "buildOrder": 31,
            "buildName": "epos/main #31",
            "buildUrl": "http://jenkins.example:8080/job/epos/31/",
            "url": "http://jenkins.example:8080/",
        },
    ),
    (
        {
            "TF_BUILD": "True",
            "BUILD_BUILDID": "77",
            "BUILD_BUILDNUMBER": "20261122.3",
            "BUILD_DEFINITIONNAME": "epos",
            "SYSTEM_COLLECTIONURI": "https://dev.azure.com/till/",
            "SYSTEM_TEAMPROJECT": "epos",
        },
        {
            "name": "Azure Pipelines",
            "type": "azure",
            "buildOrder": 77,
            "buildName": "epos 20261122.3",
            "buildUrl": "https://dev.azure.com/till/epos/_build/results?buildId=77",
            "url": "https://dev.azure.com/till/epos",
        },
    ),
    (
        {
            "CIRCLECI": "true",
            "CIRCLE_BUILD_NUM": "5",
            "CIRCLE_JOB": "epos",
            "CIRCLE_PROJECT_REPONAME": "till",
            "CIRCLE_BUILD_URL": "https://circleci.com/gh/till/5",
            "CIRCLE_REPOSITORY_URL": "git@github.com:till/epos.git",
        },
        # The repository is no page.
        {
            "name": "CircleCI",
            "type": "circleci",
            "buildOrder": 5,
            "buildName": "till: epos #5",
            "buildUrl": "https://circleci.com/gh/till/5",
        },
    ),
    (
        {
            "BUILDKITE": "true",
            "BUILDKITE_BUILD_NUMBER": "6",
            "BUILDKITE_PIPELINE_NAME": "EPOS",
            "BUILDKITE_BUILD_URL": "https://buildkite.com/till/epos/builds/6",
        },
        {
            "name": "Buildkite",
            "type": "buildkite",
            "buildOrder": 6,
            "buildName": "EPOS #6",
            "buildUrl": "https://buildkite.com/till/epos/builds/6",
        },
    ),
    (
        {
            "TEAMCITY_VERSION": "2025.11",
            "BUILD_NUMBER": "1.0.17",
            "TEAMCITY_PROJECT_NAME": "Till",
            "TEAMCITY_BUILDCONF_NAME": "EPOS",
            "BUILD_URL": "https://teamcity.example/build/3",
        },
        # Its numbers may be any text.
        {
            "name": "TeamCity",
            "type": "teamcity",
            "buildName": "Till: EPOS #1.0.17",
            "buildUrl": "https://teamcity.example/build/3",
        },
    ),
    (
        {"BITBUCKET_BUILD_NUMBER": "9", "BITBUCKET_REPO_FULL_NAME": "till/epos"},
        {
            "name": "Bitbucket Pipelines",
            "type": "bitbucket",
            "buildOrder": 9,
            "buildName": "till/epos #9",
            "buildUrl": "https://bitbucket.org/till/epos/pipelines/results/9",
            "url": "https://bitbucket.org/till/epos",
        },
    ),
]


@pytest.mark.parametrize(("environ", "told"), BUILDS, ids=[told["name"] for _, told in BUILDS])
def test_a_build_is_known_by_its_environment(environ: dict[str, str], told: dict[str, Any]) -> None:
    assert allure_ci.executor({"PATH": "/bin", "HOME": "/root", **environ}) == told


def test_every_service_is_tried() -> None:
    assert {each.name for each in allure_ci.SERVICES} == {told["name"] for _, told in BUILDS}


@pytest.mark.parametrize(
    "environ", [{}, {"CI": "true", "BUILD_NUMBER": "3"}, {"GITHUB_ACTIONS": ""}, {"GITHUB_SHA": "1"}]
)
def test_where_there_is_none_nothing_is_told(environ: dict[str, str]) -> None:
    assert allure_ci.executor(environ) is None


def test_what_is_missing_is_left_out() -> None:
    assert allure_ci.executor({"GITHUB_ACTIONS": "true"}) == {"name": "GitHub Actions", "type": "github"}
    without = {name: value for name, value in GITHUB.items() if name != "GITHUB_RUN_ATTEMPT"}
    told = allure_ci.executor(without)
    assert told is not None
    assert told["buildUrl"] == "https://github.com/till/epos/actions/runs/4711"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", " https://x"])
def test_only_pages_are_linked_to(address: str) -> None:
    told = allure_ci.executor({"JENKINS_URL": address, "BUILD_URL": address, "BUILD_NUMBER": "9" * 400})
    assert told == {"name": "Jenkins", "type": "jenkins"}


def test_names_of_any_kind_are_told_as_they_are() -> None:
    name = "</script><b>$HOME\ud800" + "x" * 9_000
    told = allure_ci.executor({"GITHUB_ACTIONS": "true", "GITHUB_WORKFLOW": name, "GITHUB_RUN_NUMBER": "1"})
    assert told is not None
    assert told["buildName"].startswith("</script><b>$HOME\\ud800xx")
    assert len(told["buildName"]) == 500
