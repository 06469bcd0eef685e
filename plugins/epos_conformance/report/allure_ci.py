"""
Which continuous integration a run belongs to, told by its environment: Allure calls it the executor.
"""

from __future__ import annotations

import re

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from typing import Any


#: Enough for any address or name of a build.
_MOST = 500

#: A report links to nothing else: the names of branches and jobs are anybody's.
_WEB = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """
    One service, and how its variables tell of a build. Templates (``$VARIABLE``) with a variable that is missing count
    for nothing; of several the first that is complete counts.
    """

    name: str
    #: As Allure calls it, which has an icon for some.
    type: str
    #: The variable that is there in every build of it, and nowhere else.
    sign: str
    number: str
    #: What was built.
    build: tuple[str, ...]
    #: The page of the build, and of what it belongs to.
    page: tuple[str, ...]
    home: tuple[str, ...] = ()


SERVICES = (
    Service(
        name="GitHub Actions",
        type="github",
        sign="GITHUB_ACTIONS",
        number="GITHUB_RUN_NUMBER",
        build=("$GITHUB_WORKFLOW #$GITHUB_RUN_NUMBER",),
        page=(
            "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID/attempts/$GITHUB_RUN_ATTEMPT",
            "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID",
        ),
        home=("$GITHUB_SERVER_URL/$GITHUB_REPOSITORY",),
    ),
    Service(
        name="GitLab CI",
        type="gitlab",
        sign="GITLAB_CI",
        number="CI_PIPELINE_IID",
        build=("$CI_PROJECT_PATH: $CI_JOB_NAME #$CI_PIPELINE_IID", "$CI_JOB_NAME"),
        page=("$CI_JOB_URL", "$CI_PIPELINE_URL"),
        home=("$CI_PROJECT_URL",),
    ),
    Service(
        name="Azure Pipelines",
        type="azure",
        sign="TF_BUILD",
        number="BUILD_BUILDID",
        build=("$BUILD_DEFINITIONNAME $BUILD_BUILDNUMBER", "$BUILD_BUILDNUMBER"),
        page=("$SYSTEM_COLLECTIONURI$SYSTEM_TEAMPROJECT/_build/results?buildId=$BUILD_BUILDID",),
        home=("$SYSTEM_COLLECTIONURI$SYSTEM_TEAMPROJECT",),
    ),
    Service(
        name="CircleCI",
        type="circleci",
        sign="CIRCLECI",
        number="CIRCLE_BUILD_NUM",
        build=("$CIRCLE_PROJECT_REPONAME: $CIRCLE_JOB #$CIRCLE_BUILD_NUM", "$CIRCLE_JOB"),
        page=("$CIRCLE_BUILD_URL",),
        home=("$CIRCLE_REPOSITORY_URL",),
    ),
    Service(
        name="Buildkite",
        type="buildkite",
        sign="BUILDKITE",
        number="BUILDKITE_BUILD_NUMBER",
        build=("$BUILDKITE_PIPELINE_NAME #$BUILDKITE_BUILD_NUMBER", "$BUILDKITE_PIPELINE_SLUG"),
        page=("$BUILDKITE_BUILD_URL",),
    ),
    Service(
        name="Bitbucket Pipelines",
        type="bitbucket",
        sign="BITBUCKET_BUILD_NUMBER",
        number="BITBUCKET_BUILD_NUMBER",
        build=("$BITBUCKET_REPO_FULL_NAME #$BITBUCKET_BUILD_NUMBER",),
        page=("https://bitbucket.org/$BITBUCKET_REPO_FULL_NAME/pipelines/results/$BITBUCKET_BUILD_NUMBER",),
        home=("https://bitbucket.org/$BITBUCKET_REPO_FULL_NAME",),
    ),
    # Last: agents of the others may run as jobs of these two, and the nearer one counts.
    Service(
        name="TeamCity",
        type="teamcity",
        sign="TEAMCITY_VERSION",
        number="BUILD_NUMBER",
        build=("$TEAMCITY_PROJECT_NAME: $TEAMCITY_BUILDCONF_NAME #$BUILD_NUMBER", "$TEAMCITY_BUILDCONF_NAME"),
        page=("$BUILD_URL",),
    ),
    Service(
        name="Jenkins",
        type="jenkins",
        sign="JENKINS_URL",
        number="BUILD_NUMBER",
        build=("$JOB_NAME #$BUILD_NUMBER", "$BUILD_TAG"),
        page=("$BUILD_URL",),
        home=("$JENKINS_URL",),
    ),
)


def executor(environ: Mapping[str, str]) -> dict[str, Any] | None:
    """
    What Allure's ``executor.json`` says of the build that *environ* tells of; None where it tells of none.

    ``{name, type, buildOrder?, buildName?, buildUrl?, url?}``; the order is a number, the addresses are web pages.
    """
    found = next((each for each in SERVICES if environ.get(each.sign)), None)
    if found is None:
        return None
    told: dict[str, Any] = {"name": found.name, "type": found.type}
    number = environ.get(found.number, "")
    if number.isascii() and number.isdecimal() and len(number) < 16:
        told["buildOrder"] = int(number)
    if build := _first(found.build, environ):
        told["buildName"] = build
    for name, templates in (("buildUrl", found.page), ("url", found.home)):
        address = _first(templates, environ)
        if address and _WEB.match(address):
            told[name] = address
    return told


def _first(templates: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    known = {name: value for name, value in environ.items() if value}
    for each in templates:
        try:
            text = Template(each).substitute(known)
        except KeyError:
            continue
        # Variables of a system whose encoding differs may carry half a surrogate pair.
        return text.encode("utf-8", "backslashreplace").decode()[:_MOST]
    return None
