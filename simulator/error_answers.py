"""The answers to errors, the same for the whole platform and for the part of it that serves a store day."""

from __future__ import annotations

import logging
from functools import partial

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from simulator.aws import CLIENT_ERRORS, aws_failed
from simulator.errors import SimulatorError, StorageFailed

_log = logging.getLogger("simulator.app")


def add_error_answers(app: FastAPI, aws_endpoint: str) -> None:
    """Answer each kind of error in the same format."""
    app.add_exception_handler(SimulatorError, _answer_refusal)
    app.add_exception_handler(RequestValidationError, _answer_invalid_body)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, answer_internal_error)
    app.add_exception_handler(StorageFailed, _answer_storage_failed)
    answer_aws = partial(_answer_aws_error, endpoint=aws_endpoint)
    for kind in CLIENT_ERRORS:
        app.add_exception_handler(kind, answer_aws)


async def answer_internal_error(_request: Request, _error: Exception) -> JSONResponse:
    """Answer an unexpected error; the caller may try again."""
    return JSONResponse({"errorMsg": "Internal Server Error. Retry."}, 500, {"Retry-After": "1"})


async def _answer_refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SimulatorError)
    request.state.refusal, request.state.reason = error.code, getattr(error, "reason", "")
    return JSONResponse(error.body(), error.status, error.headers())


async def _answer_storage_failed(request: Request, error: Exception) -> JSONResponse:
    """Answer as for a bug: the caller cannot fix the disk, and may try again. The log says what to fix."""
    _log.error("%s %s failed: %s; %s", request.method, request.url.path, error, StorageFailed.hint)
    request.state.refusal = "platform_error"
    return await answer_internal_error(request, error)


async def _answer_aws_error(request: Request, error: Exception, *, endpoint: str) -> JSONResponse:
    _log.warning("%s %s needs AWS: %s", request.method, request.url.path, error)
    return await _answer_refusal(request, aws_failed(endpoint, error))


async def _answer_invalid_body(_request: Request, error: Exception) -> JSONResponse:
    """Answer what is wrong with a body and where. The answer never repeats values, because one may be a secret."""
    assert isinstance(error, RequestValidationError)
    problems = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
    return JSONResponse({"errorMsg": "; ".join(problems)}, 400)


async def _answer_http_error(_request: Request, error: Exception) -> JSONResponse:
    """Answer an unknown address or method in the format of all other errors."""
    assert isinstance(error, HTTPException)
    return JSONResponse(
        {"errorMsg": f"{error.detail} (GET /openapi.json lists every address)"}, error.status_code, error.headers
    )
