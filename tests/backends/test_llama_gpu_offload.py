"""Layers on the GPU and the limits of memory. No GPU is needed: the real llama.cpp runs below."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from helpers.random_embedders import write_tiny_bert
from helpers.tiny_models import write_tiny_qwen3

import memcli.backends.llama.host as machine
from memcli.backends.llama import open_embedder, open_reranker
from memcli.backends.llama.context import LlamaContext, TokenRun
from memcli.backends.llama.gpu_offload import F16, Q8_0, cache_types, layer_attempts
from memcli.backends.llama.host import free_memory, physical_cores
from memcli.backends.llama.model import LlamaModel
from memcli.backends.llama.sequence import LlamaSequence
from memcli.errors import BackendError, InputError
from memcli.protocols import RerankPrompt

PROMPT = RerankPrompt("<|im_start|>", "{query}{document}", "<|im_end|>", "", 999)
GB = 10**9


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    """A model of seven layers: eight with its output."""
    return write_tiny_qwen3(tmp_path_factory.mktemp("deep") / "deep.gguf", layers=7)


@pytest.fixture
def gpu(monkeypatch):
    """A GPU with room for so many layers of a model, and for so many layers' contexts."""
    import llama_cpp

    card = SimpleNamespace(layers=99, caches=99, quantised=99, tried=[], contexts=[])
    load, init = llama_cpp.llama_model_load_from_file, llama_cpp.llama_init_from_model

    def load_some(path, params):
        card.tried.append(params.n_gpu_layers)
        return load(path, params) if params.n_gpu_layers <= card.layers else None

    def init_some(model, params):
        card.contexts.append((card.tried[-1], params.type_k))
        most = card.caches if params.type_k == F16 else card.quantised
        if card.tried[-1] > most:
            return None
        params.type_k = params.type_v = F16  # what a tiny model can have
        return init(model, params)

    monkeypatch.setattr(llama_cpp, "llama_supports_gpu_offload", lambda: True)
    monkeypatch.setattr(llama_cpp, "llama_model_load_from_file", load_some)
    monkeypatch.setattr(llama_cpp, "llama_init_from_model", init_some)
    return card


@pytest.fixture
def said():
    return []


def works(model):
    """Return whether a model computes."""
    with LlamaContext(model, 64, threads=1) as context:
        context.feed([TokenRun([1, 2, 3])])
        return bool(context.logits(0, [5]))


@pytest.mark.parametrize(
    ("asked", "tries"),
    [(None, [8, 4, 2, 1, 0]), (99, [8, 4, 2, 1, 0]), (5, [5, 2, 1, 0]), (1, [1, 0]), (0, [0])],
)
def test_layers_are_halved_until_none_are_left(asked, tries):
    assert layer_attempts(asked, layers=7) == tries


def test_all_layers_go_to_a_gpu_that_has_room(deep, gpu, said):
    model = LlamaModel(deep, note=said.append)

    assert works(model)
    assert (gpu.tried, model.gpu_layers, said) == ([8], 8, [])
    model.close()


def test_fewer_layers_go_where_not_all_fit_and_it_is_said(deep, gpu, said):
    gpu.layers = 3

    model = LlamaModel(deep, note=said.append)

    assert works(model)
    assert (gpu.tried, model.gpu_layers) == ([8, 4, 2], 2)
    assert said == ["deep: 2 of 8 layers on the GPU, more does not fit its memory"]
    model.close()


def test_the_cpu_is_the_last_resort(deep, gpu, said):
    gpu.layers = 0

    model = LlamaModel(deep, gpu_layers=5, note=said.append)

    assert works(model)
    assert (gpu.tried, model.gpu_layers) == ([5, 2, 1, 0], 0)
    assert said == ["deep: nothing on the GPU, more does not fit its memory"]
    model.close()


def test_no_layers_asked_is_no_layers_tried(deep, gpu, said):
    model = LlamaModel(deep, gpu_layers=0, note=said.append)

    assert works(model)
    assert (gpu.tried, said) == ([0], [])
    model.close()


def test_a_context_the_gpu_has_no_room_for_is_first_kept_in_fewer_bits(deep, gpu, said):
    gpu.caches = 4

    model = LlamaModel(deep, note=said.append)

    assert works(model)
    assert gpu.contexts == [(8, F16), (8, Q8_0)]
    assert (gpu.tried, said) == ([8], [])
    model.close()


def test_then_it_takes_layers_off_the_gpu(deep, gpu, said):
    gpu.caches, gpu.quantised = 1, 2
    model = LlamaModel(deep, note=said.append)

    assert works(model)

    assert gpu.contexts == [(8, F16), (8, Q8_0), (4, F16), (4, Q8_0), (2, F16), (2, Q8_0)]
    assert said == [
        "deep: 4 of 8 layers on the GPU, more does not fit its memory",
        "deep: 2 of 8 layers on the GPU, more does not fit its memory",
    ]
    model.close()


def test_a_reranker_answers_on_as_after_the_gpu_gave_in(deep, gpu, said):
    alone = dict(open_reranker(deep, PROMPT, gpu_layers=0, threads=1).judge("q", ["a", "b"]))
    gpu.layers, gpu.caches, gpu.quantised = 4, -1, 0

    answers = dict(open_reranker(deep, PROMPT, threads=1, note=said.append).judge("q", ["a", "b"]))

    assert answers == alone
    assert said[-1] == "deep: nothing on the GPU, more does not fit its memory"


def test_a_context_that_fits_nowhere_is_an_error(deep, gpu):
    gpu.caches = gpu.quantised = -1
    model = LlamaModel(deep)

    with pytest.raises(BackendError, match=r"no context of 256 tokens for .*deep\.gguf"):
        works(model)
    assert gpu.tried == [8, 4, 2, 1, 0]
    model.close()


def test_a_build_without_a_gpu_tries_none_and_says_so_when_asked(deep, gpu, said, monkeypatch):
    monkeypatch.setattr("llama_cpp.llama_supports_gpu_offload", lambda: False)

    for layers in (None, 0, 20):
        model = LlamaModel(deep, gpu_layers=layers, note=said.append)
        assert works(model)
        model.close()

    assert gpu.tried == [0, 0, 0]
    assert said == ["deep runs on the CPU: this llama.cpp was built without GPU support"]


def test_a_token_takes_what_its_keys_and_values_take(any_path):
    model = LlamaModel(any_path, gpu_layers=0)

    # 2 layers of 2 heads of 16 numbers; 30 layers of 3 heads of 64.
    numbers = 2 * 2 * 16 if any_path.stem == "tiny" else 30 * 3 * 64
    assert model.cache_bytes_per_token == 2 * numbers * 2  # keys and values, at two bytes each
    model.close()


@pytest.mark.parametrize(
    ("free", "kinds"),
    [
        (9 * GB, [F16, Q8_0]),
        (6 * GB, [Q8_0]),  # without the weights there would be room for 16 bits
        (4 * GB, [Q8_0]),  # the weights are read again and again
        (None, [F16, Q8_0]),
    ],
)
def test_a_cache_is_as_exact_as_memory_allows(free, kinds):
    four_billions = SimpleNamespace(
        gpu_layers=0,
        cache_bytes_per_token=36 * 2 * 8 * 128 * 2,
        weight_bytes=2_500_000_000,
    )

    assert cache_types(four_billions, 32_768, free) == kinds


def test_a_context_beyond_the_free_memory_is_refused_before_it_is_tried(tiny, monkeypatch):
    monkeypatch.setattr("memcli.backends.llama.context.free_memory", lambda: 20 * 1024)
    model = LlamaModel(tiny, gpu_layers=0)

    refusal = r"a context of 1,024 tokens takes 0\.0 GB besides 0\.0 GB of weights, and 0\.0 GB"
    with pytest.raises(BackendError, match=refusal):
        LlamaContext(model, 1000)
    model.close()


def test_weights_that_do_not_fit_beside_the_cache_are_told_once(smollm, monkeypatch):
    told = []
    model = LlamaModel(smollm, gpu_layers=0, note=told.append)
    free = model.weight_bytes
    monkeypatch.setattr("memcli.backends.llama.context.free_memory", lambda: free)

    for _ in range(2):
        LlamaContext(model, 256, threads=1).close()
    model.close()

    assert 80e6 < free < 110e6
    [note] = told
    assert "0.1 GB of weights" in note
    assert "is slow" in note


def test_a_cache_in_fewer_bits_answers_nearly_the_same(smollm, monkeypatch):
    model = LlamaModel(smollm, gpu_layers=0)
    tokens, some = model.encode("The capital of France is the city of"), model.encode(" Paris Rome")
    logits = []
    for free in (
        None,
        64 * model.cache_bytes_per_token * 3,
    ):  # the second has room for 8 bits alone
        monkeypatch.setattr("memcli.backends.llama.context.free_memory", lambda free=free: free)
        with LlamaContext(model, 256, threads=1) as context:
            context.feed([TokenRun(tokens)])
            logits.append(context.logits(0, some))
    model.close()

    assert logits[0] != logits[1]
    assert logits[0] == pytest.approx(logits[1], abs=0.5)


def test_llama_cpp_out_of_memory_is_an_error_not_the_end(smollm):
    """The machine does not tell its free memory, and the system refuses llama.cpp's request."""
    code = f"""if True:
        import resource
        from pathlib import Path
        import memcli.backends.llama.context as context
        import memcli.backends.llama.model as model
        from memcli.errors import BackendError
        context.free_memory = lambda: None
        loaded = model.LlamaModel(Path({str(smollm)!r}))
        resource.setrlimit(resource.RLIMIT_AS, (4 * 10**9, 4 * 10**9))
        try:
            context.LlamaContext(loaded, 400_000)
        except BackendError as error:
            print(error)
    """

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("no context of 400,128 tokens for ")


def test_this_machine_has_cores_and_memory():
    assert physical_cores() >= 1
    assert free_memory() is None or free_memory() > 10**6


@pytest.fixture
def container(tmp_path, monkeypatch):
    """Control groups around this process, and a machine with 8 GB of free memory."""
    group = tmp_path / "groups" / "user" / "mem"
    group.mkdir(parents=True)
    (tmp_path / "self").write_text("3:cpu:/elsewhere\n0::/user/mem\n")
    (tmp_path / "meminfo").write_text("MemTotal: 9000000 kB\nMemAvailable: 8000000 kB\nHuge: 0\n")
    monkeypatch.setattr(machine, "_OWN_GROUP", tmp_path / "self")
    monkeypatch.setattr(machine, "_GROUP_TREE", tmp_path / "groups")
    monkeypatch.setattr(machine, "_MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_CPUS", tmp_path / "cpus")
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    return group


def test_without_limits_the_machine_is_ours(container):
    assert (physical_cores(), free_memory()) == (4, 8_192_000_000)


def test_limits_of_a_container_hold_wherever_they_are_set(container):
    (container / "cpu.max").write_text("max 100000\n")
    (container.parent / "cpu.max").write_text("150000 100000\n")
    (container.parent / "memory.max").write_text("2000000000\n")
    (container.parent / "memory.current").write_text("1500000000\n")
    (container.parent / "memory.stat").write_text("anon 7\ninactive_file 300000000\n")

    assert (physical_cores(), free_memory()) == (2, 800_000_000)


def test_two_threads_of_one_core_count_once(container, tmp_path):
    for cpu in range(4):
        topology = tmp_path / "cpus" / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(f"{cpu % 2},{cpu % 2 + 2}\n")

    assert physical_cores() == 2


def test_a_machine_that_tells_nothing_is_taken_as_it_is(container, tmp_path):
    (tmp_path / "self").unlink()
    (tmp_path / "meminfo").write_text("nonsense\n")

    assert (physical_cores(), free_memory()) == (4, None)


@pytest.fixture
def failing(monkeypatch):
    """Let `llama_decode` fail with a status while a condition on model and batch holds."""
    import llama_cpp

    decode = llama_cpp.llama_decode

    def install(condition, status=-2):
        def sometimes(context, batch):
            return status if condition(batch.n_tokens) else decode(context, batch)

        monkeypatch.setattr(llama_cpp, "llama_decode", sometimes)

    return install


@pytest.mark.parametrize("status", [-2, -3])
def test_memory_that_gives_out_while_reading_takes_layers_off_the_gpu(
    deep, gpu, said, failing, status
):
    failing(lambda tokens: tokens > 1 and gpu.tried[-1] > 2, status)
    model = LlamaModel(deep, note=said.append)
    sequence = LlamaSequence(LlamaContext(model, 64, threads=1))

    sequence.restart([1, 2, 3, 4])

    assert gpu.tried == [8, 4, 2]
    assert sequence.tokens == [1, 2, 3, 4]
    assert said == [
        "deep: 4 of 8 layers on the GPU, more does not fit its memory",
        "deep: 2 of 8 layers on the GPU, more does not fit its memory",
    ]
    model.close()


def test_memory_that_gives_out_while_writing_changes_no_token(deep, gpu, failing):
    def written(model):
        sequence = LlamaSequence(LlamaContext(model, 64, threads=1))
        sequence.restart([1, 2, 3, 4])
        pieces = list(sequence.generate(12))
        model.close()
        return pieces, sequence.tokens

    whole = written(LlamaModel(deep))
    fed = []
    failing(lambda tokens: fed.append(tokens) or (len(fed) == 2 and gpu.tried[-1] == 8))

    assert written(LlamaModel(deep)) == whole
    assert gpu.tried[-2:] == [8, 4]


def test_a_reranker_judges_fewer_at_a_time_before_it_leaves_the_gpu(deep, gpu, said, failing):
    passages = ["a", "bb", "ccc", "dddd"]
    alone = dict(open_reranker(deep, PROMPT, gpu_layers=0, threads=1).judge("q", passages))
    gpu.tried.clear()
    batches = []
    failing(lambda tokens: batches.append(tokens) or tokens > 6)

    answers = dict(open_reranker(deep, PROMPT, threads=1, note=said.append).judge("q", passages))

    assert answers == pytest.approx(alone, abs=0.02)
    assert gpu.tried == [8]
    assert said == []


def test_a_reranker_ends_on_the_cpu_where_no_gpu_has_room(deep, gpu, said, failing):
    alone = dict(open_reranker(deep, PROMPT, gpu_layers=0, threads=1).judge("q", ["a", "b"]))
    failing(lambda _tokens: gpu.tried[-1] > 0, -3)

    answers = dict(open_reranker(deep, PROMPT, threads=1, note=said.append).judge("q", ["a", "b"]))

    assert answers == pytest.approx(alone, abs=0.02)
    assert said[-1] == "deep: nothing on the GPU, more does not fit its memory"


def test_memory_that_is_nowhere_is_an_error_with_a_hint(deep, gpu, failing):
    failing(lambda _tokens: True)

    with pytest.raises(BackendError, match="status is -2") as raised:
        dict(open_reranker(deep, PROMPT, threads=1).judge("q", ["a", "b"]))

    assert "--gpu-layers 0" in (raised.value.hint or "")
    assert gpu.tried[-1] == 0


def test_a_failure_on_the_cpu_that_is_not_memory_is_tried_once(deep, failing):
    tried = []
    failing(lambda tokens: tried.append(tokens) or True, -3)

    with pytest.raises(BackendError, match="status is -3"):
        dict(open_reranker(deep, PROMPT, gpu_layers=0, threads=1).judge("q", ["a"]))

    assert len(tried) == 1


def test_an_embedder_embeds_fewer_at_a_time_and_the_same(tmp_path, monkeypatch):
    import llama_cpp

    path, encode = write_tiny_bert(tmp_path / "encoder.gguf"), llama_cpp.llama_encode
    texts = ["the capital of china", "walk", "a walk", "china"]

    def embedded():
        embedder = open_embedder(
            path, name="tiny", revision="", pooling="mean", context=64, threads=1
        )
        vectors = embedder.embed(texts)
        embedder.close()
        return vectors

    whole = embedded()
    monkeypatch.setattr(
        llama_cpp,
        "llama_encode",
        lambda context, batch: -2 if batch.n_tokens > 9 else encode(context, batch),
    )

    assert embedded() == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize(("chosen", "number"), [("", None), ("1", 1), ("0", 0)])
def test_models_are_split_over_all_gpus_or_run_on_the_chosen_one(deep, monkeypatch, chosen, number):
    import llama_cpp

    seen, load = [], llama_cpp.llama_model_load_from_file
    monkeypatch.setenv("MEM_GPU", chosen)

    def remember(path, params):
        seen.append((params.split_mode, params.main_gpu))
        params.main_gpu = 0
        return load(path, params)

    monkeypatch.setattr(llama_cpp, "llama_model_load_from_file", remember)
    LlamaModel(deep).close()

    one, layers = llama_cpp.LLAMA_SPLIT_MODE_NONE, llama_cpp.LLAMA_SPLIT_MODE_LAYER
    assert seen == [(layers, 0) if number is None else (one, number)]


def test_a_gpu_without_a_number_is_refused(deep, monkeypatch):
    monkeypatch.setenv("MEM_GPU", "first")

    with pytest.raises(InputError, match="MEM_GPU is no number"):
        LlamaModel(deep)
