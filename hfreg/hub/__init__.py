"""The Hugging Face Hub: the token, asking the Hub, files of a pinned commit, provenance, the cache on disk.

The only room that imports huggingface_hub. It does not load models (`hfreg.scoring.libraries`) and
knows nothing of versions beyond their Pins.

    token.py       where the token is saved, found and checked
    translate.py   what huggingface_hub raises, as errors of hfreg
    client.py      Hub: commit, info, small files, test connection
    repo.py        what the Hub says of a repository, as data
    search.py      models by words, task, library, licence, size
    look.py        one repository before it is used, in two steps
    card.py        the text of a model card, made safe to show
    snapshot.py    a repository as the cache on disk knows it
    access.py      whether the token may read a repository
    diagnosis.py   everything between a token and a model that loads
    files.py       which files of a repository are fetched, and what is refused in them
    fetch.py       Fetcher: the files of one commit on this disk, with progress
    flight.py      one download that many callers share
    hashes.py      hashes of files, computed once
    provenance.py  PinnedResolver: repo id and revision to a pinned folder
    sources.py     what a repository is at a commit, as a record beside a version
    upstream.py    what changed on the Hub since
    licence.py     the licence ids of a repository
    inference.py   calls of models that run elsewhere
    cache.py       what cached checkpoints use on disk
"""
