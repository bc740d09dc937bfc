"""Store: databases, transactions and the unit of work; it knows nothing of what the tables mean."""

from hub.store.queries import Queries, Query, load
from hub.store.session import NoRows, OutOfReach, Row, Session, Store
from hub.store.unit import Space, Unit
from hub.store.written import as_json

__all__ = ["NoRows", "OutOfReach", "Queries", "Query", "Row", "Session", "Space", "Store", "Unit", "as_json", "load"]
